/** Replaces `TARGET` as fast as it can until it is killed: `TARGET file|tree`. */
import { Target } from '../publish/target.ts';
import { FILES, LETTERS, TREE_SIZES, treeFile } from './torn-content.ts';
import { writeSettings } from './write-settings.ts';

const [path = '', shape] = process.argv.slice(2);
const target = new Target(writeSettings(path, { fsync: false, keepFor: 3000 }));
await target.open();
for (let round = Math.floor(Math.random() * 1000); ; round++) {
  if (shape === 'file') {
    // The largest comes rarely, or readers would see little else.
    const index = round % 100 === 0 ? FILES.length - 1 : round % (FILES.length - 1);
    await target.publish({ kind: 'file', chunks: chunked(FILES[index]!) });
  } else {
    const letter = LETTERS[round % LETTERS.length]!;
    const entries = Object.entries(TREE_SIZES).map(([name, size]) => ({
      path: name,
      chunks: [treeFile(letter, size)],
    }));
    await target.publish({ kind: 'tree', entries });
  }
  process.stdout.write('.');
}

async function* chunked(content: Buffer) {
  for (let at = 0; at < content.length; at += 64 * 1024) {
    yield content.subarray(at, at + 64 * 1024);
  }
}
