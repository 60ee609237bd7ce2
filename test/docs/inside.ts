/**
 * The first process of a sandbox: prepares it, runs the shell block of its stdin in the directory
 * of its argument, and stops the servers that the block started once they are ready.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freshTmp } from './fresh-tmp.ts';

/** The admin ports of the sidecars. */
const ADMIN_PORTS = Array.from({ length: 9 }, (_, i) => 9900 + i);
/** A block that is ready for so long and has not ended is one that serves, in milliseconds. */
const SERVES_AFTER = 2000;

const [directory = '.'] = process.argv.slice(2);
prepare();
process.chdir(directory);
// What the README of wait-for waits for, and runs.
writeFileSync('server.js', 'console.log("the server has started");\n');
for (const port of [80, 5432]) {
  createServer((_, response) => response.end('ready')).listen(port, '127.0.0.1');
}

const script = readFileSync(0, 'utf8');
/** A block that puts its server into the background ends by itself. */
const ends = / &( |$)/m.test(script);
const block = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
let code: number | null | undefined;
block.once('exit', (status) => (code = status));

let readySince: number | undefined;
while (sidecars().length > 0 || code === undefined) {
  const served = code === undefined ? !ends && (await ready()) : true;
  if (!served) readySince = undefined;
  else readySince ??= performance.now();
  if (readySince !== undefined && performance.now() - readySince > SERVES_AFTER) {
    for (const pid of sidecars()) kill(pid);
    readySince = Number.POSITIVE_INFINITY;
  }
  await delay(50);
}
process.exit(code ?? 1);

function prepare() {
  const run = (program: string, ...args: string[]) => execFileSync(program, args);
  run('ip', 'link', 'set', 'lo', 'up');
  freshTmp();
  run('mount', '-t', 'mqueue', 'mqueue', '/dev/mqueue');
  writeFileSync('/tmp/hosts', '127.0.0.1 localhost db api\n');
  run('mount', '--bind', '/tmp/hosts', '/etc/hosts');
}

/** The processes that run a package's command from source. */
function sidecars(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const [program = '', main = ''] = read(`/proc/${pid}/cmdline`).split('\0');
      // webapp's title stands in place of its arguments.
      if (program === 'webapp') return true;
      return /node$/.test(program) && /(src\/main\.ts|\.bin\/[a-z-]+)$/.test(main);
    })
    .filter((pid) => !/\.bin\/(npx|npm)$/.test(read(`/proc/${pid}/cmdline`).split('\0')[1] ?? ''))
    .map(Number);
}

/** Whether an admin port is there, and all that are say that they are ready. */
async function ready(): Promise<boolean> {
  const open = [];
  for (const port of ADMIN_PORTS) if (await listens(port)) open.push(port);
  for (const port of open) {
    // One that ends by itself may be gone by now.
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (!response?.ok) return false;
  }
  return open.length > 0;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number) {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {}
}
