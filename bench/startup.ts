import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@sidekit/test-kit';
import { hostArchitecture } from '../images/architecture.ts';
import { bundle } from '../images/bundle.ts';
import { IMAGES } from '../images/catalog.ts';
import { warmCodeCache } from '../images/code-cache.ts';
import { nodeBinary } from '../images/node-binary.ts';
import { NODE_FLAGS } from '../images/node-flags.ts';
import { table } from '../scripts/support/output.ts';
import { median } from './support/statistics.ts';

/**
 * Process start to /readyz 200 beside `node -e 0`, and idle memory beside an idle Node: what an
 * image runs (launcher, bundle, code cache), on the same Node, in interleaved rounds. It lies at a
 * path about as short as an image's /app: what Node does with a script's path is not free.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 11);
/** How long a process is left alone before its memory is read, in milliseconds. */
const SETTLE = 1500;

interface Subject {
  readonly name: string;
  readonly directory: string;
  readonly args: (admin: number) => string[];
}

export async function run(): Promise<void> {
  const bundles = mkdtempSync(join(tmpdir(), '_'));
  try {
    await compare(bundles);
  } finally {
    rmSync(bundles, { recursive: true, force: true });
  }
}

async function compare(bundles: string): Promise<void> {
  const node = nodeBinary();
  const subjects: Subject[] = [];
  for (const image of IMAGES) {
    const at = image.warmUp.indexOf('--admin');
    // What has no admin port ends by itself: it has no readiness to wait for.
    if (at === -1) continue;
    const directory = join(bundles, String(subjects.length));
    await bundle(image, directory, hostArchitecture());
    await warmCodeCache(image, directory);
    const file = join(directory, 'config.json');
    if (image.warmUpConfig) writeFileSync(file, JSON.stringify(image.warmUpConfig));
    const config = image.warmUpConfig ? ['--config', file] : [];
    subjects.push({
      name: image.name,
      directory,
      // As by default: an address in writing loads node:dns.
      args: (admin) => [...image.warmUp.with(at + 1, `:${admin}`), ...config],
    });
  }
  const times = new Map<string, number[]>([['node', []]]);
  for (let round = 0; round < ROUNDS; round++) {
    times.get('node')?.push(bareStart(node));
    for (const subject of subjects) push(times, subject.name, await timeToReady(node, subject));
  }
  const bareMemory = await idleMemory(node, ['-e', 'setInterval(()=>{},1e6)']);
  const base = median(times.get('node') ?? []);
  const rows = [
    ['program', 'start ms', '× node -e 0', 'idle RSS MiB', '× idle node'],
    ['node', base.toFixed(1), '1.00', mib(bareMemory), '1.00'],
  ];
  for (const subject of subjects) {
    const start = median(times.get(subject.name) ?? []);
    const memory = await idleMemory(node, await command(subject));
    rows.push([
      subject.name,
      start.toFixed(1),
      (start / base).toFixed(2),
      mib(memory),
      (memory / bareMemory).toFixed(2),
    ]);
  }
  console.log(table(rows));
}

function bareStart(node: string): number {
  const start = performance.now();
  spawnSync(node, ['-e', '0']);
  return performance.now() - start;
}

async function command({ directory, args }: Subject): Promise<string[]> {
  return [...NODE_FLAGS, join(directory, 'main.cjs'), ...args(await freePort())];
}

/** mq's consumer is ready with its queue; the others as soon as they listen: /livez tells both. */
async function timeToReady(node: string, subject: Subject): Promise<number> {
  const admin = await freePort();
  const args = [...NODE_FLAGS, join(subject.directory, 'main.cjs'), ...subject.args(admin)];
  const start = performance.now();
  const child = spawn(node, args, { stdio: 'ignore', env: { MALLOC_ARENA_MAX: '2' } });
  while (!(await answers(admin)))
    if (performance.now() - start > 10_000) throw new Error(`${subject.name} is not ready`);
  const elapsed = performance.now() - start;
  await end(child);
  return elapsed;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path: '/livez', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => setTimeout(resolve, 0.5, false));
  });
}

/** Resident memory once it has settled, in bytes. */
async function idleMemory(node: string, args: readonly string[]): Promise<number> {
  const child = spawn(node, args, { stdio: 'ignore', env: { MALLOC_ARENA_MAX: '2' } });
  await delay(SETTLE);
  const pages = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]);
  await end(child);
  return pages * 4096;
}

function end(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}

function push(times: Map<string, number[]>, name: string, value: number) {
  times.set(name, [...(times.get(name) ?? []), value]);
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
