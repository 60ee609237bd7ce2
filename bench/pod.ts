import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from './support/statistics.ts';

/**
 * `pod up` to Ready next to `podman kube play` for the same Pod of two containers, and what a
 * supervisor costs while its Pod idles. Interleaved rounds on a warm machine, medians.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const IDLE_SECONDS = 20;
const POD = 'node_modules/.bin/pod';
const TICKS = 100;

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

function manifest(name: string): string {
  const container = (one: string) => ({
    name: one,
    image: `sidekit/wait-for:${version}`,
    imagePullPolicy: 'Never',
    command: [
      '/nodejs/bin/node',
      '-e',
      "process.on('SIGTERM',()=>process.exit());setInterval(()=>{},1e6)",
    ],
  });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [container('one'), container('two')] },
  });
}

/** Runs the benchmark and prints its table. @throws Error if Podman or the image is missing. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-pod-'));
  const env = { ...process.env, SIDEKIT_POD_DIR: join(directory, 'store'), POD_ENGINE: 'podman' };
  const ours = join(directory, 'ours.json');
  const theirs = join(directory, 'theirs.json');
  writeFileSync(ours, manifest('bench-ours'));
  writeFileSync(theirs, manifest('bench-theirs'));
  const limits = join(directory, 'containers.conf');
  // With limits lower than Podman's defaults, its own play would not start.
  writeFileSync(limits, `[containers]\ndefault_ulimits = [${ulimits()}]\n`);
  const peer = { ...process.env, CONTAINERS_CONF: limits };
  try {
    const up: number[] = [];
    const play: number[] = [];
    for (let round = 0; round < ROUNDS + 1; round++) {
      const first = timed(POD, ['up', ours], env);
      timed(POD, ['down', '--all'], env);
      const second = timed('podman', ['kube', 'play', theirs], peer);
      timed('podman', ['kube', 'down', theirs], peer);
      // The first round warms up.
      if (round > 0) up.push(first) && play.push(second);
    }
    timed(POD, ['up', ours], env);
    const idle = await idleShare(join(directory, 'store/pods/bench-ours/pid'));
    timed(POD, ['down', '--all'], env);
    const [a, b] = [median(up), median(play)];
    console.log(`pod up to Ready        ${a.toFixed(2)} s`);
    console.log(`podman kube play       ${b.toFixed(2)} s`);
    console.log(`ratio                  ${(a / b).toFixed(2)}  (at most 1.3)`);
    console.log(`supervisor while idle  ${(idle * 100).toFixed(2)} % of a core  (at most 0.5 %)`);
  } finally {
    spawnSync(POD, ['down', '--all'], { env });
    rmSync(directory, { recursive: true, force: true });
  }
}

function timed(program: string, args: readonly string[], env: NodeJS.ProcessEnv): number {
  const begin = performance.now();
  execFileSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  return (performance.now() - begin) / 1000;
}

/** The share of a core that a process and its children use over a while. */
async function idleShare(pidFile: string): Promise<number> {
  const pid = Number(readFileSync(pidFile, 'utf8'));
  // Its start is no idling.
  await pause(2000);
  const before = cpuSeconds(pid);
  await pause(IDLE_SECONDS * 1000);
  return (cpuSeconds(pid) - before) / IDLE_SECONDS;
}

function cpuSeconds(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/);
  return [String(pid), ...children.filter(Boolean)]
    .map((one) => {
      const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      // utime, stime, and those of children that have ended (proc(5)).
      return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS;
    })
    .reduce((sum, seconds) => sum + seconds, 0);
}

function ulimits(): string {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = (name: string) =>
    Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? 1_048_576);
  const files = hard('Max open files');
  const processes = Math.min(hard('Max processes'), 16_384);
  return `"nofile=${files}:${files}", "nproc=${processes}:${processes}"`;
}

if (import.meta.main) await run();
