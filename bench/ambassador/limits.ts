import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@sidekit/test-kit';
import { nodeBinary } from '../../images/node-binary.ts';
import { NODE_FLAGS } from '../../images/node-flags.ts';
import { table } from '../../scripts/support/output.ts';
import { IMAGE_ENV, listening } from './contestants.ts';
import { resident } from './measure.ts';
import { MemoryLimit } from './memory-limit.ts';
import type { Tally } from './mix/tally.ts';
import { writeMixProxy } from './nginx.ts';

const MiB = 1024 * 1024;
const MIX = fileURLToPath(new URL('./mix/', import.meta.url));
const HTTP_PROXY = fileURLToPath(new URL('./peer-http-proxy.cjs', import.meta.url));

/** The ports of a proxy: for gRPC its own, or 0 if it has none. */
interface Ports {
  readonly port: number;
  readonly grpc: number;
}

/**
 * Loads each proxy alone with a mix on 1,000 connections within 128 MiB, and prints what happened
 * to the requests and to its memory.
 * @param seconds of load, and then of rest. @param bundle the directory of the ambassador's bundle.
 * @param wanted selects proxies by `limits NAME`.
 */
export async function limits(
  directory: string,
  bundle: string,
  seconds: number,
  wanted: (name: string) => boolean,
): Promise<void> {
  const upstream = await freePort();
  const calls = await freePort();
  if (!['ambassador', 'nginx', 'http-proxy'].some((name) => wanted(`limits ${name}`))) return;
  const measure = async (name: string, ports: Ports, command: readonly string[]) => {
    if (wanted(`limits ${name}`)) await measureOne(name, ports, seconds, command);
  };
  const upstreams = spawn(nodeBinary(), [
    join(MIX, 'upstream.ts'),
    ...[upstream, calls].map(String),
  ]);
  try {
    await listening(calls);
    const ports = async (): Promise<Ports> => ({ port: await freePort(), grpc: await freePort() });
    const own = await ports();
    const file = join(directory, 'limits.yaml');
    const listener = {
      listen: `127.0.0.1:${own.port}`,
      upstream: [`http://127.0.0.1:${upstream}`],
      admin: `127.0.0.1:${await freePort()}`,
      routes: [{ prefix: '/grpc.Echo', upstream: [`h2c://127.0.0.1:${calls}`] }],
    };
    writeFileSync(file, JSON.stringify(listener));
    const node = ['env', ...IMAGE_ENV, nodeBinary()];
    const main = join(bundle, 'main.cjs');
    await measure('ambassador', { port: own.port, grpc: own.port }, [
      ...[...node, ...NODE_FLAGS, main, '--config', file],
    ]);
    const nginx = await ports();
    const conf = writeMixProxy(join(directory, 'limits'), { ...nginx, upstream, calls });
    await measure('nginx', nginx, ['nginx', '-c', conf]);
    const other = await freePort();
    const origin = `http://127.0.0.1:${upstream}`;
    await measure('http-proxy', { port: other, grpc: 0 }, [
      ...[...node, HTTP_PROXY, String(other), origin],
    ]);
  } finally {
    await end(upstreams);
  }
}

async function measureOne(
  name: string,
  { port, grpc }: Ports,
  seconds: number,
  command: readonly string[],
): Promise<void> {
  using limit = MemoryLimit.create(128 * MiB);
  if (limit === undefined) console.log('no memory cgroup can be created: there is no limit');
  const [program = '', ...args] = [...(limit?.command ?? []), ...command];
  const child = spawn(program, args, { stdio: 'ignore' });
  try {
    await listening(port);
    const load = async (length: number) => {
      const words = [join(MIX, 'load.ts'), ...[port, grpc, length].map(String)];
      // A proxy whose clients all hang is reported, not waited for.
      const timeout = (2 * length + 60) * 1000;
      const { stdout } = await promisify(execFile)(nodeBinary(), words, { timeout }).catch(
        (error: { killed?: boolean }) => {
          throw error.killed ? new Error(`the load did not end within ${timeout} ms`) : error;
        },
      );
      return JSON.parse(stdout) as Record<string, Tally>;
    };
    const pid = child.pid!;
    const idle = residentOfAll(pid);
    const tallies = await load(seconds);
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${name} ended: ${child.exitCode ?? child.signalCode}`);
    const loaded = residentOfAll(pid);
    await sleep(seconds * 1000);
    const rested = residentOfAll(pid);
    const rows = Object.entries(tallies).map(([kind, { succeeded, refused, broken, reasons }]) => [
      kind,
      String(succeeded),
      JSON.stringify(refused),
      `${broken} ${reasons.slice(0, 1)}`,
    ]);
    console.log(
      `\n${name}, 1,000 connections, 128 MiB\n${table([['kind', 'succeeded', 'refused', 'broken'], ...rows])}`,
    );
    const mib = (kib: number) => `${(kib / 1024).toFixed(0)} MiB`;
    console.log(
      `RSS idle ${mib(idle)}, after the load ${mib(loaded)}, ${seconds} s later ${mib(rested)} (× ${(rested / idle).toFixed(2)})`,
    );
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
  } finally {
    await end(child);
  }
}

/** Resident memory of a process and its children, which do nginx's work, in KiB. */
function residentOfAll(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const pids = [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
  return pids.reduce((sum, one) => sum + resident(one), 0);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
