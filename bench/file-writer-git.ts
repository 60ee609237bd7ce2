/**
 * `npm run bench -- file-writer-git`: the file-writer's git client beside isomorphic-git, both
 * against `git http-backend`: a first check at a repository of 10,000 files, a check at nothing
 * new, and a check at a commit that changes one file.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { GitRepository } from '../packages/file-writer/src/testing/git-repository.ts';
import { startGitServer } from '../packages/file-writer/src/testing/git-server.ts';
import type { Cost } from './file-writer/checks.ts';
import { median } from './support/statistics.ts';

const FILES = 10_000;
const CLIENTS = ['own', 'isomorphic'] as const;

/** BENCH_DIRECTORY decides the disk, BENCH_ROUNDS how often all is done. */
export async function run(): Promise<void> {
  const { BENCH_DIRECTORY: parent = tmpdir(), BENCH_ROUNDS: rounds = '1' } = process.env;
  const directory = mkdtempSync(join(parent, 'sidekit-bench-'));
  try {
    const rows = new Map<string, { cost: Cost; bytes: number }[]>();
    for (let round = 0; round < Number(rounds); round++) {
      const root = join(directory, `${round}`);
      const repository = new GitRepository(root);
      const files = manyFiles();
      repository.import(files);
      await using server = await startGitServer(root);
      const proxy = await countingProxy(Number(new URL(server.url).port));
      for (const name of CLIENTS) {
        const path = join(root, name, 'site');
        const client = start(name, `http://127.0.0.1:${proxy.port}/site.git`, path);
        for (const what of ['first check', 'nothing new', 'one file changed']) {
          if (what === 'one file changed') {
            repository.import(new Map([...files, ['d0/s0/f0.txt', randomBytes(100)]]));
          }
          const before = proxy.bytes();
          const cost = await client.check();
          const row = rows.get(`${what}|${name}`) ?? [];
          rows.set(`${what}|${name}`, [...row, { cost, bytes: proxy.bytes() - before }]);
        }
        const onDisk = sizeOf(join(root, name));
        rows.set(`disk|${name}`, [{ cost: { seconds: 0, cpu: 0, rss: 0 }, bytes: onDisk }]);
        client.end();
      }
      proxy.close();
    }
    await print(rows, rounds);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Similar small files, so that the server sends deltas, and one large one. */
function manyFiles(): Map<string, Buffer> {
  const base = Array.from({ length: 200 }, () => randomBytes(16).toString('hex')).join('\n');
  const files = new Map([['large.bin', randomBytes(5 * 1024 * 1024)]]);
  for (let i = 0; i < FILES; i++) {
    const text = i % 20 === 0 ? `${base}\n${i}\n` : `${i}\n`;
    files.set(`d${i % 100}/s${i % 7}/f${i}.txt`, Buffer.from(text));
  }
  return files;
}

/** Forwards connections and counts the received bytes. */
async function countingProxy(port: number) {
  let bytes = 0;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    upstream.on('data', (chunk) => (bytes += chunk.length));
    for (const socket of [client, upstream]) {
      socket
        .on('error', () => {})
        .on('close', () => [client, upstream].map((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    bytes: () => bytes,
    close: () => server.close(),
  };
}

function start(name: string, url: string, path: string) {
  const program = fileURLToPath(new URL(`./file-writer/${name}-client.ts`, import.meta.url));
  const child = spawn(process.execPath, [program, url, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    check: async (): Promise<Cost> => {
      child.stdin.write('check\n');
      const { value, done } = await lines.next();
      if (done) throw new Error(`the ${name} client ended`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

function sizeOf(path: string): number {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  // The listing goes through the link of a version as well.
  const paths = new Set(files.map(({ parentPath, name }) => realpathSync(join(parentPath, name))));
  return [...paths].reduce((sum, one) => sum + statSync(one).size, 0);
}

async function print(rows: ReadonlyMap<string, { cost: Cost; bytes: number }[]>, rounds: string) {
  console.log(
    `git: ${FILES} files, ${rounds} interleaved round(s), medians; isomorphic-git ${version()}`,
  );
  for (const what of ['first check', 'nothing new', 'one file changed']) {
    for (const name of CLIENTS) {
      const row = rows.get(`${what}|${name}`) ?? [];
      const of = (pick: (one: (typeof row)[number]) => number) => median(row.map(pick));
      const cells = [
        `${of(({ cost }) => cost.seconds).toFixed(2)} s`,
        `${of(({ cost }) => cost.cpu).toFixed(2)} s CPU`,
        `${of(({ cost }) => cost.rss).toFixed(0)} MiB peak RSS`,
        `${(of(({ bytes }) => bytes) / 1024).toFixed(0)} KiB received`,
      ];
      console.log(`  ${what.padEnd(17)} ${name.padEnd(11)} ${cells.join('  ')}`);
    }
  }
  for (const name of CLIENTS) {
    const disk = (rows.get(`disk|${name}`)?.[0]?.bytes ?? 0) / 1024 ** 2;
    const size = (await bundleSize(name)) / 1024;
    console.log(`  ${name}: ${disk.toFixed(1)} MiB on disk, ${size.toFixed(0)} KiB minified`);
  }
}

/** The git client alone, as it would stand in the bundle. */
async function bundleSize(name: (typeof CLIENTS)[number]): Promise<number> {
  const own = '../packages/file-writer/src/git/';
  const contents =
    name === 'own'
      ? `export * from '${own}pack.ts'; export * from '${own}remote.ts'; export * from '${own}tree.ts';`
      : `export { clone, fetch, checkout, listServerRefs } from 'isomorphic-git'; export { default as http } from 'isomorphic-git/http/node';`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    ...{ bundle: true, minify: true, write: false, platform: 'node', format: 'esm' },
    external: ['@sidekit/core'],
  });
  return outputFiles[0]?.contents.length ?? 0;
}

function version(): string {
  const path = join(fileURLToPath(import.meta.resolve('isomorphic-git')), '../package.json');
  return JSON.parse(readFileSync(path, 'utf8')).version;
}
