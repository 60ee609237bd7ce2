import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { eventually } from '@sidekit/test-kit';

/** The result of one run of one contestant. */
export interface Result {
  /** Lines per second of CPU time, which other work on the machine does not disturb. */
  readonly perCpu: number;
  /** Lines per second of wall-clock time. */
  readonly perSecond: number;
  /** The peak, in MiB. */
  readonly rss: number;
}

export interface Contestant {
  readonly name: string;
  readonly argv: readonly string[];
  /** Whether all lines are done; a program that ends by itself has none. */
  readonly done?: () => boolean | Promise<boolean>;
  /** The expected output: one JSON record per line, each with these fields. */
  readonly output?: { readonly path: string; readonly fields: readonly string[] };
}

/** Throws unless each line became a record; checks every thousandth. */
export function checkOutput({ path, fields }: Required<Contestant>['output'], lines: number): void {
  const records = readFileSync(path, 'utf8').trimEnd().split('\n');
  if (records.length !== lines) throw new Error(`${path}: ${records.length} records, not ${lines}`);
  for (let i = 0; i < records.length; i += 1000) {
    const record = JSON.parse(records[i] ?? '') as Record<string, unknown>;
    const missing = fields.find((field) => record[field] === undefined);
    if (missing) throw new Error(`${path}: no ${missing} in ${records[i]}`);
  }
}

/** Runs a program pinned to core 1 until it is done with `lines` lines. */
export async function measure({ argv, done }: Contestant, lines: number): Promise<Result> {
  const started = performance.now();
  const child = spawn('taskset', ['-c', '1', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  let code: number | null | undefined;
  const exited = new Promise<void>((resolve) =>
    child.once('close', (status) => {
      code = status;
      resolve();
    }),
  );
  let last = { cpu: 0, rss: 0 };
  const look = () => {
    last = usage(child.pid) ?? last;
    return code !== undefined;
  };
  await eventually(async () => look() || ((await done?.()) ?? false), {
    what: `${argv.join(' ')} is done`,
    timeout: 120_000,
    interval: 10,
  });
  const seconds = (performance.now() - started) / 1000;
  look();
  if (code === undefined) child.kill('SIGTERM');
  await exited;
  if (done === undefined && code !== 0) throw new Error(`${argv[0]} failed: ${errors}`);
  return {
    perCpu: lines / Math.max(last.cpu, 0.01),
    perSecond: lines / seconds,
    rss: last.rss,
  };
}

/** CPU seconds and peak memory of a process, from /proc; undefined once it is gone. */
export function usage(pid = 0): { cpu: number; rss: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    if (!peak) return undefined;
    // utime and stime, in ticks of 10 ms (proc(5)).
    return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, rss: Number(peak[1]) / 1024 };
  } catch {
    return undefined;
  }
}

/** Whether a file has something in it and has not grown for so many milliseconds. */
export function stoodStill(path: string, quiet = 1500): () => boolean {
  let size = -1;
  let since = performance.now();
  return () => {
    const now = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (now !== size || now === 0) {
      size = now;
      since = performance.now();
      return false;
    }
    return performance.now() - since > quiet;
  };
}
