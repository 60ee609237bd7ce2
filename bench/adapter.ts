import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@sidekit/test-kit';
import { bundledAdapter } from './adapter/bundle.ts';
import { combinedLine, jsonLine, writeLines } from './adapter/generate.ts';
import { foundPeers, isThere, mtailCommand } from './adapter/peers.ts';
import { idleCpu, latency, manyFiles } from './adapter/quiet.ts';
import { type Contestant, checkOutput, measure, type Result, stoodStill } from './adapter/run.ts';
import { numbers } from './support/numbers.ts';
import { median } from './support/statistics.ts';

/**
 * A file of 1,000,000 lines to JSON lines in a file, on one core: the adapter as its image runs
 * it (checkpoints, metrics and identity checks on) beside a bare loop in the same Node, and the
 * peers found on the machine. Interleaved rounds, medians; then quiet files, latency and many
 * files. `--rounds=3`, `--lines=1000000`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { rounds, lines } = numbers(args, { rounds: 3, lines: 1_000_000 });
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-adapter-'));
  try {
    const adapter = await bundledAdapter(directory);
    const access = join(directory, 'access.log');
    const json = join(directory, 'app.json');
    const bytes = writeLines(access, lines, combinedLine);
    writeLines(json, lines, jsonLine);
    console.log(
      `${lines} lines of ${Math.round(bytes / lines)} bytes, ${rounds} rounds, one core\n`,
    );
    const results = new Map<string, Result[]>();
    for (let round = 0; round < rounds; round++) {
      const work = join(directory, `round-${round}`);
      mkdirSync(work);
      for (const contestant of await contestants(adapter, work, access, json, lines)) {
        const result = await measure(contestant, lines);
        if (contestant.output) checkOutput(contestant.output, lines);
        results.set(contestant.name, [...(results.get(contestant.name) ?? []), result]);
      }
      rmSync(work, { recursive: true });
    }
    print(results);
    console.log(
      `\nidle, 100 quiet files: ${(await idleCpu(adapter, directory)).toFixed(2)} % of a core`,
    );
    const { p50, p99 } = await latency(adapter, directory);
    console.log(`write to output: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`);
    for (const files of [1, 10, 100, 1000]) {
      const cost = await manyFiles(adapter, directory, files, lines);
      console.log(`${files} files: ${cost.toFixed(2)} µs of CPU a line`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The options of the adapter in addition to reading and writing. */
const WORK: readonly (readonly [name: string, flags: readonly string[]])[] = [
  ['', []],
  [' and adding', ['--add', 'env=prod', '--add', 'pod=shop-5d8f']],
  [
    ' and renaming, dropping, redacting',
    [
      '--rename',
      'user_agent=agent',
      '--rename',
      'hostname=host',
      '--drop',
      'pid',
      '--drop',
      'referer',
    ].concat(['--redact-fields', 'remote_addr,remoteAddress', '--add', 'env=prod']),
  ],
];

async function contestants(
  adapter: readonly string[],
  work: string,
  access: string,
  json: string,
  lines: number,
): Promise<Contestant[]> {
  const bare = fileURLToPath(new URL('./adapter/bare.ts', import.meta.url));
  const all: Contestant[] = [];
  for (const [format, from] of [
    ['combined', access],
    ['json', json],
  ] as const) {
    const to = join(work, `bare-${format}`);
    const argv = [process.execPath, bare, format, from, to];
    const fields = format === 'json' ? ['msg', 'time'] : ['path', 'status', 'bytes'];
    all.push({ name: `bare loop, ${format}`, argv, output: { path: to, fields } });
    for (const [name, flags] of WORK) {
      const out = join(work, `adapter-${format}${name.replaceAll(' ', '-')}`);
      const admin = `127.0.0.1:${await freePort()}`;
      all.push({
        name: `adapter, ${format}${name}`,
        argv: [
          ...adapter,
          ...['--include', from, '--format', format, '--admin', admin, '--log-level', 'warn'],
          ...['--output', `file:${out}`, '--state', `${out}-state`, ...flags],
        ],
        done: () => delivered(admin, lines),
        output: { path: out, fields },
      });
    }
  }
  for (const peer of foundPeers()) {
    const name = peer.name.split(' ')[0] ?? '';
    const to = join(work, name);
    const argv = peer.command(join(work, `${name}-files`), access, to);
    const output = { path: to, fields: ['path'] };
    all.push({ name: peer.name, argv, done: stoodStill(to), output });
  }
  if (isThere('mtail')) {
    all.push({ name: 'mtail (counts only)', argv: mtailCommand(join(work, 'mtail'), access) });
  }
  return all;
}

/** Whether the adapter has delivered that many records. */
export async function delivered(admin: string, lines: number): Promise<boolean> {
  const text = await fetch(`http://${admin}/metrics`).then((answer) => answer.text());
  return Number(/^adapter_delivered_records_total\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0) >= lines;
}

function print(results: ReadonlyMap<string, readonly Result[]>): void {
  const of = (name: string) => median((results.get(name) ?? []).map(({ perCpu }) => perCpu));
  console.log('| | lines/s of CPU | × bare loop | RSS MiB |\n| --- | ---: | ---: | ---: |');
  for (const [name, all] of results) {
    const bare = of(name.includes(', json') ? 'bare loop, json' : 'bare loop, combined');
    const cells = [
      name,
      `${Math.round(of(name) / 1000)}k`,
      (of(name) / bare).toFixed(2),
      Math.round(median(all.map(({ rss }) => rss))),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
