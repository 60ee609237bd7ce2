/**
 * Publishes once and kills itself at one call of the write path: `TARGET file|tree NUMBER`.
 * The same fault injection with a real process.
 */
import { Target } from '../publish/target.ts';
import { faultyFileSystem } from './faulty-file-system.ts';
import { writeSettings } from './write-settings.ts';

const [path = '', shape, at] = process.argv.slice(2);
const { fileSystem } = faultyFileSystem(Number(at), { kind: 'stop' }, () => {
  process.kill(process.pid, 'SIGKILL');
});
const text = Buffer.from('the new and longer content');
await new Target(writeSettings(path, { fileSystem })).publish(
  shape === 'file'
    ? { kind: 'file', chunks: [text] }
    : {
        kind: 'tree',
        entries: [
          { path: 'a', chunks: [text] },
          { path: 'sub/b', chunks: [text, text], executable: true },
          { path: 'sub/link', link: '../a' },
        ],
      },
);
