import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, startProgram, type TestProcess } from '@sidekit/test-kit';

export interface StormOptions {
  readonly directory: string;
  readonly rate: number;
  readonly seconds: number;
  readonly rotateEvery: number;
  readonly manner: 'rename' | 'copytruncate';
  /** Milliseconds between two SIGKILLs; 0 for none. */
  readonly killEvery: number;
  /** A reader to use instead of the adapter. */
  readonly reader?: (live: string, directory: string) => Reader;
}

/** A reader of the log in a storm. */
export interface Reader {
  /** The path of its output: lines that each hold a line of the log, as JSON or raw. */
  readonly out: string;
  start(): TestProcess;
  /** Whether it watches already: one that reads live names only cannot know earlier rotations. */
  watches?(process: TestProcess): boolean;
  /** Whether it has delivered everything. */
  drained(): boolean | Promise<boolean>;
}

export interface StormResult {
  readonly written: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly kills: number;
  /** Copies of one line that a receiver could not tell by `file.id` and `offset`. */
  readonly unrecognised: number;
}

/** Runs a writer that rotates constantly and an adapter that is killed without warning. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const { directory, rate, seconds, rotateEvery, manner, killEvery } = options;
  const live = join(directory, 'app.log');
  const reader = (options.reader ?? (await adapterReader()))(live, directory);
  let adapter: TestProcess = reader.start();
  const first = adapter;
  await eventually(() => reader.watches?.(first) ?? true, { what: 'the reader watches' });
  let kills = 0;
  await using writer = startProgram(fileURLToPath(new URL('./storm-writer.ts', import.meta.url)), [
    live,
    String(rate),
    String(seconds),
    String(rotateEvery),
    manner,
  ]);
  let over = false;
  const finished = writer.exited.then(() => {
    over = true;
  });
  while (killEvery > 0 && !over) {
    await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, killEvery))]);
    if (over) break;
    adapter.kill('SIGKILL');
    await adapter.exited;
    kills++;
    adapter = reader.start();
  }
  await finished;
  const written = Number(writer.stdout);
  try {
    await eventually(() => reader.drained(), {
      what: 'everything is delivered',
      timeout: 60_000,
      interval: 200,
    });
    adapter.kill('SIGTERM');
    await adapter.exited;
  } finally {
    await adapter[Symbol.asyncDispose]();
  }
  return { ...(await tally(reader.out, written)), written, kills };
}

async function adapterReader() {
  const admin = `127.0.0.1:${await freePort()}`;
  return (live: string, directory: string): Reader => {
    const out = join(directory, 'out', 'records.json');
    return {
      out,
      start: () =>
        startProgram(new URL('../main.ts', import.meta.url), [
          ...['--include', live, '--output', `file:${out}`, '--admin', admin],
          ...['--state', join(directory, 'state'), '--log-level', 'warn'],
        ]),
      drained: async () => {
        const answer = await fetch(`http://${admin}/metrics`).then((one) => one.text());
        return /^adapter_lag_bytes 0$/m.test(answer) && /^adapter_buffered_bytes 0$/m.test(answer);
      },
    };
  };
}

async function tally(path: string, written: number) {
  const counts = new Uint32Array(written);
  const keys = new Map<number, Set<string>>();
  let duplicates = 0;
  let unrecognised = 0;
  if (existsSync(path)) {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const number = Number(/line (\d+) of the storm/.exec(line)?.[1] ?? Number.NaN);
      const record = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {};
      if (!(number < written)) throw new Error(`a record that was never written: ${line}`);
      const key = `${String(record['file.id'])} ${String(record.offset)}`;
      if (counts[number]! > 0) {
        duplicates++;
        if (!keys.get(number)?.has(key)) unrecognised++;
      }
      counts[number]!++;
      const known = keys.get(number) ?? new Set();
      keys.set(number, known.add(key));
    }
  }
  let lost = 0;
  for (const count of counts) if (count === 0) lost++;
  return { lost, duplicates, unrecognised };
}
