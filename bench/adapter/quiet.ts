import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, freePort, TestProcess } from '@sidekit/test-kit';
import { combinedLine, writeLines } from './generate.ts';

async function start(adapter: readonly string[], work: string, format = 'combined') {
  const admin = `127.0.0.1:${await freePort()}`;
  const [command = '', ...args] = adapter;
  const child = new TestProcess('taskset', [
    ...['-c', '1', command, ...args, '--include', join(work, 'logs/*.log'), '--format', format],
    ...['--admin', admin, '--log-level', 'warn', '--output', `file:${join(work, 'out')}`],
  ]);
  const ready = () => fetch(`http://${admin}/readyz`).then(({ ok }) => ok);
  await eventually(ready, { what: `the adapter is ready: ${child.stderr}` });
  return { child, admin };
}

/** CPU seconds of a process so far. */
function cpu(pid = 0): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Per cent of a core that 100 quiet files cost, over 20 seconds. */
export async function idleCpu(adapter: readonly string[], directory: string): Promise<number> {
  const work = join(directory, 'idle');
  mkdirSync(join(work, 'logs'), { recursive: true });
  for (let i = 0; i < 100; i++) writeLines(join(work, 'logs', `${i}.log`), 100, combinedLine, i);
  const { child } = await start(adapter, work);
  await sleep(5000);
  const before = cpu(child.child.pid);
  await sleep(20_000);
  const percent = ((cpu(child.child.pid) - before) / 20) * 100;
  child.kill();
  await child.exited;
  rmSync(work, { recursive: true });
  return percent;
}

/** Milliseconds from a write to the record in the output, over 300 writes. */
export async function latency(adapter: readonly string[], directory: string) {
  const work = join(directory, 'latency');
  mkdirSync(join(work, 'logs'), { recursive: true });
  const { child } = await start(adapter, work, 'raw');
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const written = performance.now();
    appendFileSync(join(work, 'logs/a.log'), `line ${i}.\n`);
    await eventually(() => readFileSync(join(work, 'out'), 'utf8').includes(`line ${i}.`), {
      what: `line ${i} in the output`,
      interval: 1,
    });
    times.push(performance.now() - written);
    await sleep((i * 37) % 100);
  }
  child.kill();
  await child.exited;
  rmSync(work, { recursive: true });
  times.sort((a, b) => a - b);
  return { p50: times[150] ?? Number.NaN, p99: times[297] ?? Number.NaN };
}

/** Microseconds of CPU a line where the lines are spread over `files` files. */
export async function manyFiles(
  adapter: readonly string[],
  directory: string,
  files: number,
  lines: number,
): Promise<number> {
  const work = join(directory, `files-${files}`);
  mkdirSync(join(work, 'logs'), { recursive: true });
  for (let i = 0; i < files; i++) {
    writeLines(join(work, 'logs', `${i}.log`), lines / files, combinedLine, i);
  }
  const { child, admin } = await start(adapter, work);
  await eventually(
    async () => {
      const text = await fetch(`http://${admin}/metrics`).then((answer) => answer.text());
      const all = /^adapter_delivered_records_total\{.*\} (\d+)$/m.exec(text)?.[1];
      return Number(all ?? 0) >= lines;
    },
    { what: 'all lines are delivered', timeout: 60_000, interval: 50 },
  );
  const used = cpu(child.child.pid);
  child.kill();
  await child.exited;
  rmSync(work, { recursive: true });
  return (used / lines) * 1e6;
}
