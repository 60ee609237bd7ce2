import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@sidekit/test-kit';
import { bundledAdapter } from './adapter/bundle.ts';
import { writeLines } from './adapter/generate.ts';
import { isThere, mtailCommand, rsyslogFor } from './adapter/peers.ts';
import { type Contestant, checkOutput, measure, type Result, stoodStill } from './adapter/run.ts';
import { SHAPES, type Shape } from './adapter/shapes.ts';
import { delivered } from './adapter.ts';
import { numbers } from './support/numbers.ts';
import { median } from './support/statistics.ts';

/**
 * Lines of several shapes to JSON lines in a file, on one core: a new time in every line, varied
 * fields, milliseconds, and JSON whose fields are renamed and redacted. Each shape for the adapter, a
 * bare loop, rsyslog and mtail (which only counts) on the same lines. Interleaved rounds, medians.
 * `--rounds=3`, `--lines=500000`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { rounds, lines } = numbers(args, { rounds: 3, lines: 500_000 });
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-shapes-'));
  try {
    const adapter = await bundledAdapter(directory);
    const results = new Map<Shape, Map<string, Result[]>>(SHAPES.map((one) => [one, new Map()]));
    for (let round = 0; round < rounds; round++) {
      for (const shape of SHAPES) {
        const work = join(directory, 'work');
        mkdirSync(work);
        const log = join(work, 'app.log');
        writeLines(log, lines, shape.line);
        for (const contestant of await contestants(adapter, shape, work, log, lines)) {
          const result = await measure(contestant, lines);
          if (contestant.output) checkOutput(contestant.output, lines);
          const of = results.get(shape)!;
          of.set(contestant.name, [...(of.get(contestant.name) ?? []), result]);
        }
        rmSync(work, { recursive: true });
      }
    }
    print(results);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function contestants(
  adapter: readonly string[],
  { format, flags = [], fields }: Shape,
  work: string,
  log: string,
  lines: number,
): Promise<Contestant[]> {
  const bare = fileURLToPath(new URL('./adapter/bare.ts', import.meta.url));
  const to = (name: string) => join(work, `${name}.out`);
  const admin = `127.0.0.1:${await freePort()}`;
  const all: Contestant[] = [
    { name: 'bare loop', argv: [process.execPath, bare, format, log, to('bare')] },
    {
      name: 'adapter',
      argv: [
        ...[...adapter, '--include', log, '--format', format, '--admin', admin],
        ...['--log-level', 'warn', '--output', `file:${to('adapter')}`],
        ...['--state', join(work, 'state'), ...flags],
      ],
      done: () => delivered(admin, lines),
      output: { path: to('adapter'), fields },
    },
  ];
  if (isThere('rsyslogd')) {
    const { command } = rsyslogFor(format);
    const argv = command(join(work, 'rsyslog'), log, to('rsyslog'));
    const done = stoodStill(to('rsyslog'));
    const field = format === 'json' ? 'msg' : 'path';
    all.push({ name: 'rsyslog', argv, done, output: { path: to('rsyslog'), fields: [field] } });
  }
  if (isThere('mtail')) {
    all.push({ name: 'mtail', argv: mtailCommand(join(work, 'mtail'), log, format) });
  }
  return all;
}

/** Prints thousands of lines per second of CPU, and the ratio to the bare loop. */
function print(results: ReadonlyMap<Shape, ReadonlyMap<string, readonly Result[]>>): void {
  const of = (all: readonly Result[] = []) => median(all.map(({ perCpu }) => perCpu));
  console.log('| shape | bare loop | adapter | × bare loop | rsyslog | mtail (counts only) |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  const thousands = (value: number) => (Number.isNaN(value) ? '–' : `${Math.round(value / 1000)}k`);
  for (const [{ name }, all] of results) {
    const [bare, adapter, ...peers] = ['bare loop', 'adapter', 'rsyslog', 'mtail'].map((one) =>
      of(all.get(one)),
    ) as [number, number, ...number[]];
    const cells = [
      ...[name, thousands(bare), thousands(adapter), (adapter / bare).toFixed(2)],
      ...peers.map(thousands),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const [combined, json] = (['combined', 'json'] as const).map((format) =>
    [...results]
      .filter(([shape]) => shape.format === format && !shape.flags)
      .map(([, all]) => of(all.get('adapter'))),
  );
  for (const [name, speeds = []] of [
    ['combined', combined],
    ['JSON', json],
  ] as const) {
    const ratio = Math.min(...speeds) / Math.max(...speeds);
    console.log(`\n${name}: the slowest shape is ${ratio.toFixed(2)} × the fastest`);
  }
}
