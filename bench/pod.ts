import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Engine } from '../packages/pod/src/engine/engine.ts';
import { median } from './support/statistics.ts';

/**
 * `pod up` to Ready next to `podman kube play` for the same Pod of two containers, an exec of a
 * probe, what a supervisor costs while its Pod idles, and what `pod view` adds with many Pods.
 * Interleaved rounds on a warm machine, medians.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const IDLE_SECONDS = Number(process.env.BENCH_IDLE_SECONDS ?? 20);
const EXECS = 30;
/** Pods on the page. */
const PODS = Number(process.env.BENCH_PODS ?? 20);
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
    const exec = await execCost(join(directory, 'store/pods/bench-ours'));
    const pid = Number(readFileSync(join(directory, 'store/pods/bench-ours/pid'), 'utf8'));
    const idle = await idleShare(pid);
    const memory = mebibytes(pid);
    timed(POD, ['down', '--all'], env);
    const [a, b] = [median(up), median(play)];
    console.log(`pod up to Ready        ${a.toFixed(2)} s`);
    console.log(`podman kube play       ${b.toFixed(2)} s`);
    console.log(`ratio                  ${(a / b).toFixed(2)}  (at most 1.3)`);
    console.log(
      `exec of a probe        ${exec.toFixed(0)} ms  (at most 100 at load 4; now ${loadavg()[0]?.toFixed(1)})`,
    );
    console.log(`supervisor while idle  ${(idle * 100).toFixed(2)} % of a core  (at most 0.5 %)`);
    console.log(`memory per Pod         ${memory.toFixed(1)} MiB`);
    await measureView(directory, env, memory);
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

/** The median time of a command in a container as a probe runs it, in milliseconds. */
async function execCost(folder: string): Promise<number> {
  const { engine } = JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8'));
  const { status } = JSON.parse(readFileSync(join(folder, 'status.json'), 'utf8'));
  const container = status.containerStatuses[0].containerID.replace(/^\w+:\/\//, '');
  const argv = ['/nodejs/bin/node', '--version'];
  const times: number[] = [];
  for (let i = 0; i < EXECS; i++) {
    const begin = performance.now();
    await new Engine(engine).exec({ container, argv, timeout: 10_000, limit: 10_240 });
    times.push(performance.now() - begin);
  }
  return median(times);
}

/** Measures the server of the page with many Pods while nothing changes and a page is open. */
async function measureView(directory: string, env: NodeJS.ProcessEnv, supervisor: number) {
  const file = join(directory, 'many.json');
  const names = Array.from({ length: PODS }, (_, i) => `bench-${i}`);
  writeFileSync(file, names.map(manifest).join('\n---\n'));
  timed(POD, ['up', '--timeout', '300s', file], env);
  const view = spawn(POD, ['view'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await once(view.stdout, 'data');
    const url = String(line).trim();
    const opened = await fetch(url, { redirect: 'manual' });
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
    const place = new URL(opened.headers.get('location') ?? '', url);
    const stream = await fetch(new URL('pods', place), { headers: { cookie } });
    stream.body?.pipeTo(new WritableStream()).catch(() => {});
    const share = await idleShare(view.pid ?? 0);
    const more = mebibytes(view.pid ?? 0) - supervisor;
    console.log(
      `page of ${PODS} Pods        ${more.toFixed(1)} MiB more than a supervisor  (at most 40)`,
    );
    console.log(`page while idle        ${(share * 100).toFixed(2)} % of a core  (at most 2 %)`);
  } finally {
    view.kill('SIGTERM');
  }
}

/** The memory of a process alone and its share of what others use too (PSS), in MiB. */
function mebibytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1]) / 1024;
}

/** The share of a core that a process and its children use over a while. */
async function idleShare(pid: number): Promise<number> {
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
