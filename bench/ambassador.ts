import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDebianPackages } from '../scripts/support/debian.ts';
import { table } from '../scripts/support/output.ts';
import { start } from './ambassador/contestants.ts';
import { latency } from './ambassador/latency.ts';
import { limits } from './ambassador/limits.ts';
import { compare, type Round } from './ambassador/measure.ts';
import { memory } from './ambassador/memory.ts';
import { SCENARIOS, type Scenario, writeScripts } from './ambassador/scenarios.ts';
import { median } from './support/statistics.ts';

/**
 * The ambassador beside nginx, http-proxy, @fastify/http-proxy and a bare undici proxy: the proxy
 * alone on core 0, load and upstream on core 1, rounds in turn, medians.
 *
 * `--only=TEXT` runs what has the text in its name (also `latency`, `memory` and `limits`), `--rounds=N`
 * and `--seconds=N` set how often and how long, `--load-seconds=N` the load of `limits`, `--profile=DIRECTORY` has Node write a CPU
 * profile of the ambassador there.
 * @throws Error where a program is missing or a contestant fails requests.
 */
export async function run(args: readonly string[] = []): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      'load-seconds': { type: 'string', default: '60' },
      profile: { type: 'string' },
    },
  });
  const wanted = (name: string) => name.toLowerCase().includes(values.only.toLowerCase());
  await ensureDebianPackages(
    ['nginx', 'libnginx-mod-stream', 'wrk', 'nghttp2-client', 'util-linux'],
    'this benchmark',
  );
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-ambassador-'));
  // nginx's worker is another user.
  chmodSync(directory, 0o755);
  const profiling =
    values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  const children: ChildProcess[] = [];
  try {
    const contestants = await start(directory, children, profiling);
    writeScripts(directory);
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
    for (const scenario of SCENARIOS.filter(({ name }) => wanted(name)))
      print(scenario, compare(contestants, scenario, { rounds, seconds, directory }));
    if (wanted('latency')) latency(contestants);
    if (wanted('memory')) await memory(contestants, directory);
    const loadSeconds = Number(values['load-seconds']);
    await limits(directory, join(directory, 'bundle'), loadSeconds, wanted);
  } finally {
    await Promise.all(children.map(ended));
    rmSync(directory, { recursive: true, force: true });
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

/** Shares of nginx by rate, and by CPU time: the one that counts where the upstream is the limit. */
function print({ name, target }: Scenario, results: Map<string, Round[]>) {
  const middle = (proxy: string, key: keyof Round) =>
    median(results.get(proxy)!.map((one) => one[key]));
  const rate = (proxy: string) => middle(proxy, 'rate');
  const rows = [['proxy', 'requests/s', '× nginx', 'CPU µs a request', '× nginx by CPU']];
  for (const proxy of results.keys()) {
    const cpu = middle(proxy, 'cpu');
    const share = (rate(proxy) / rate('nginx')).toFixed(2);
    const byCpu = (middle('nginx', 'cpu') / cpu).toFixed(2);
    rows.push([proxy, rate(proxy).toFixed(0), share, cpu.toFixed(1), byCpu]);
  }
  console.log(`\n${name}${target === undefined ? '' : ` (wanted: × ${target})`}\n${table(rows)}`);
  if (results.has('http-proxy'))
    console.log(`ambassador / http-proxy: ${(rate('ambassador') / rate('http-proxy')).toFixed(2)}`);
}
