/**
 * `npm run bench -- file-writer`: how soon a change is visible, replacements a second next to a
 * plain `fs.writeFile` loop, and what following 1,000 files costs.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '@sidekit/core';
import { eventually, TestProcess } from '@sidekit/test-kit';
import { NODE_FLAGS } from '../images/node-flags.ts';
import { median } from './support/statistics.ts';

const MAIN = fileURLToPath(new URL('../packages/file-writer/src/main.ts', import.meta.url));
const INTERVAL = 200;
const CHANGES = 60;
const ROUNDS = 5;
const WRITES = 400;
const FILES = 1000;

/** Runs all three parts; BENCH_DIRECTORY decides the disk. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), 'sidekit-bench-'));
  try {
    await freshness(directory);
    await writes(directory);
    await following(directory, 'dir');
    await following(directory, 'http');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** From the change of the source to the change of the file, against the interval + 50 ms. */
async function freshness(directory: string) {
  let content = '0';
  const server = createServer((_request, response) => response.end(content));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const from = join(directory, 'from');
  const set = {
    http: (text: string) => {
      content = text;
    },
    dir: (text: string) => writeFileSync(from, text),
  };
  console.log(`Freshness, interval ${INTERVAL} ms, ${CHANGES} changes at random instants:`);
  for (const source of ['http', 'dir'] as const) {
    set[source]('0');
    const target = join(directory, `fresh-${source}`);
    const where = source === 'http' ? ['--url', `http://127.0.0.1:${port}/x`] : ['--from', from];
    await using writer = start([
      '--source',
      source,
      ...where,
      '--target',
      target,
      '--interval',
      `${INTERVAL}ms`,
    ]);
    await eventually(() => readFileSync(target, 'utf8') === '0', { what: 'the first content' });
    const ages: Age[] = [];
    const pid = writer.child.pid!;
    for (let i = 1; i <= CHANGES; i++) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * INTERVAL));
      const [since, waited] = [performance.now(), queued(pid) + queued(process.pid)];
      set[source](`change ${i}`);
      await eventually(() => readFileSync(target, 'utf8') === `change ${i}`, {
        what: 'the change',
        interval: 1,
      });
      const cpuWait = queued(pid) + queued(process.pid) - waited;
      ages.push({ age: performance.now() - since, cpuWait });
    }
    report(source, ages);
  }
  server.close();
}

interface Age {
  /** From the change to the first read that shows it, in milliseconds. */
  readonly age: number;
  /** How much of that the writer and this program were ready to run but had no CPU. */
  readonly cpuWait: number;
}

/** Reports delays, and how much of them was waiting for a CPU. */
function report(source: string, ages: readonly Age[]) {
  const sorted = ages.toSorted((a, b) => a.age - b.age);
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1]!;
  const limit = INTERVAL + 50;
  const late = ages.filter(({ age }) => age > limit);
  const own = late.filter(({ age, cpuWait }) => age - cpuWait > limit);
  const show = ({ age, cpuWait }: Age) =>
    `${age.toFixed(0)} ms (${cpuWait.toFixed(0)} of them waiting for a CPU)`;
  console.log(`  ${source.padEnd(5)} p50 ${show(at(0.5))}, p99 ${show(at(0.99))}`);
  console.log(
    `        later than interval + 50 ms: ${late.length} of ${ages.length}, ${own.length} of them also without the waits for a CPU`,
  );
}

/** How long the threads of a process have waited on a run queue, in ms (proc(5), schedstat). */
function queued(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [, wait] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      nanoseconds += Number(wait);
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return nanoseconds / 1e6;
}

/** Replacements a second and CPU each, in interleaved rounds; the median of each. */
async function writes(directory: string) {
  const content = Buffer.alloc(4096, 'x');
  const path = join(directory, 'written');
  const ways: Readonly<Record<string, () => Promise<void>>> = {
    'fs.writeFile (torn reads, no sync)': () => writeFile(path, content),
    'atomic, --no-fsync': () => writeFileAtomic(path, content, { fsync: false }),
    'atomic and durable (default)': () => writeFileAtomic(path, content),
  };
  const results = new Map<string, { rate: number; cpu: number }[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, write] of Object.entries(ways)) {
      const [start, usage] = [performance.now(), process.cpuUsage()];
      for (let i = 0; i < WRITES; i++) await write();
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(usage);
      const one = { rate: WRITES / seconds, cpu: (user + system) / WRITES };
      results.set(name, [...(results.get(name) ?? []), one]);
    }
  }
  console.log(`Replacing a file of 4 KiB, ${ROUNDS} rounds of ${WRITES}, medians:`);
  for (const [name, rounds] of results) {
    const rate = median(rounds.map((one) => one.rate));
    const cpu = median(rounds.map((one) => one.cpu));
    console.log(
      `  ${name.padEnd(36)} ${rate.toFixed(0).padStart(7)}/s  ${cpu.toFixed(0).padStart(5)} µs CPU each`,
    );
  }
}

/** CPU and memory of following many files that do not change, once a second each. */
async function following(directory: string, source: 'dir' | 'http') {
  const server = createServer((request, response) => {
    const etag = `"${request.url}"`;
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { etag }).end(`content of ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const inputs = join(directory, 'inputs');
  mkdirSync(inputs, { recursive: true });
  const files = Array.from({ length: FILES }, (_, i) => {
    writeFileSync(join(inputs, `${i}`), `content ${i}\n`);
    const where =
      source === 'dir'
        ? { from: join(inputs, `${i}`) }
        : { url: [`http://127.0.0.1:${port}/${i}`] };
    return { ...where, target: join(directory, source, `${i}`) };
  });
  const config = join(directory, 'config.json');
  writeFileSync(config, JSON.stringify({ source, interval: '1s', fsync: false, files }));
  await using writer = start(['--config', config]);
  await eventually(() => statSync(files.at(-1)!.target).size > 0, {
    what: 'the last file',
    timeout: 60_000,
  });
  // Files that changed a moment ago are read again for two seconds.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = cpuSeconds(writer.child.pid!);
  const start_ = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const share = (cpuSeconds(writer.child.pid!) - before) / ((performance.now() - start_) / 1000);
  const memory = Number(
    /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${writer.child.pid}/status`, 'utf8'))?.[1],
  );
  console.log(
    `Following ${FILES} unchanged ${source} files each second: ${(share * 100).toFixed(1)} % of one core, ${(memory / 1024).toFixed(0)} MiB RSS`,
  );
  server.closeAllConnections();
  server.close();
}

function start(args: readonly string[]): TestProcess {
  return new TestProcess(process.execPath, [
    ...NODE_FLAGS,
    MAIN,
    '--admin',
    '127.0.0.1:0',
    ...args,
  ]);
}

/** User and system time of a process (proc(5), clock ticks of 10 ms). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
