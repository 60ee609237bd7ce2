import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@sidekit/test-kit';
import { command, must } from '../engine/command.ts';
import type { ExecResult } from '../engine/engine.ts';

const { POD_ENGINE: engine = 'podman' } = process.env;
export const POD = 'node_modules/.bin/pod';

/** A store of one test alone, and the `pod` command on it. */
export class OwnStore implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'sidekit-store-'));
  readonly env = { ...process.env, SIDEKIT_POD_DIR: this.directory, POD_ENGINE: engine };

  /** Runs `pod`, which must succeed. */
  pod(...words: string[]): Promise<string> {
    return must(POD, patient(words), { env: this.env, timeout: 300_000 });
  }

  /** Runs `pod` whatever its exit code. */
  try(words: readonly string[], input?: string): Promise<ExecResult> {
    return command(POD, patient(words), {
      env: this.env,
      timeout: 300_000,
      ...(input ? { input } : {}),
    });
  }

  /** Writes a manifest and returns its path. */
  file(name: string, manifest: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, manifest);
    return path;
  }

  /** Returns the PID of a Pod's supervisor. */
  supervisor(pod: string): number {
    return Number(readFileSync(join(this.directory, 'pods', pod, 'pid'), 'utf8'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.try(['down', '--all', '--grace-period', '1s']);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Lets `up` wait longer than its default, which a loaded machine may exceed. */
function patient(words: readonly string[]): readonly string[] {
  const isUp = words[0] === 'up' && !words.includes('--timeout');
  return isUp ? [...words, '--timeout', '240s'] : words;
}

/** Everything that Pods have of this machine, to ask later whether it is gone. */
export interface Traces {
  readonly containers: readonly string[];
  readonly addresses: readonly string[];
  readonly volumes: readonly string[];
  readonly supervisors: readonly number[];
  readonly folders: readonly string[];
}

/** Lists everything that a store's Pods occupy. @throws Error if that is nothing: the test would prove nothing. */
export async function tracesOf(store: OwnStore): Promise<Traces> {
  const label = `label=dev.sidekit.pod.store=${store.directory}`;
  const ids = lines(await must(engine, ['ps', '-aq', '--no-trunc', '--filter', label]));
  const inspected = JSON.parse(await must(engine, ['inspect', '--type=container', ...ids]));
  const pods = readdirSync(join(store.directory, 'pods'));
  const records = pods.map((pod) =>
    JSON.parse(readFileSync(join(store.directory, 'pods', pod, 'record.json'), 'utf8')),
  );
  const traces = {
    containers: ids,
    addresses: inspected.flatMap((one: Inspected) =>
      Object.values(one.NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress),
    ),
    volumes: inspected.flatMap((one: Inspected) => one.Mounts.flatMap(({ Name }) => Name ?? [])),
    supervisors: pods.map((pod) => store.supervisor(pod)),
    folders: records.map(({ volumes }) => volumes),
  };
  if (ids.length === 0 || pods.length === 0) throw new Error('no Pod runs');
  return traces;
}

/**
 * Lists in words the traces that still exist, after a time for the engine's processes: they end a
 * moment after their containers.
 */
export async function leftOf(traces: Traces, store: OwnStore): Promise<string[]> {
  let left: string[] = [];
  const isNothingLeft = async () => {
    left = await existing(traces, store);
    return left.length === 0;
  };
  const options = { what: 'nothing is left', timeout: 60_000, interval: 200 };
  await eventually(isNothingLeft, options).catch(() => {});
  return left;
}

async function existing(traces: Traces, store: OwnStore): Promise<string[]> {
  const { containers, addresses, volumes, supervisors, folders } = traces;
  const ids = lines(await must(engine, ['ps', '-aq', '--no-trunc']));
  const named = lines(await must(engine, ['volume', 'ls', '-q']));
  const rules = await must('iptables-save', []);
  const processes = commandLines();
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const left = (what: string, all: readonly (string | number)[], is: (one: string) => boolean) =>
    all.filter((one) => one !== '' && is(String(one))).map((one) => `${what} ${one}`);
  return [
    ...left('container', containers, (id) => ids.includes(id)),
    ...left('volume', volumes, (name) => named.includes(name)),
    ...left('rule for', addresses, (address) => new RegExp(`\\b${address}/32`).test(rules)),
    ...left('rule for', containers, (id) => rules.includes(id)),
    ...left('process of', containers, (id) => processes.some((line) => line.includes(id))),
    ...left('supervisor', supervisors, (pid) =>
      processes.some((line) => line.startsWith(`${pid} `) && line.includes(store.directory)),
    ),
    ...left('mount in', folders, (folder) => mounts.includes(folder)),
    ...left('mount of', containers, (id) => mounts.includes(id)),
    ...left('folder', folders, (folder) => exists(folder)),
    ...left('Pod', readdirSync(join(store.directory, 'pods')), () => true),
    ...left(
      'Service of',
      readdirSync(join(store.directory, 'endpoints')),
      (name) => name !== '.changed',
    ),
  ];
}

interface Inspected {
  readonly NetworkSettings: { readonly Networks?: Record<string, { readonly IPAddress: string }> };
  readonly Mounts: readonly { readonly Name?: string }[];
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
      } catch {
        // Ended meanwhile.
        return [];
      }
    });
}

function exists(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
