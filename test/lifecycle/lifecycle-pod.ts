import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { parse, stringify } from 'yaml';
import type { PodStatus, Session } from '../engine/engine.ts';
import { testEngine } from '../engine/index.ts';

/** One event of a Pod's timeline, from the clock that all its containers share. */
export interface TimelineEvent {
  readonly at: number;
  readonly container: string;
  readonly what: string;
}

// biome-ignore lint/suspicious/noExplicitAny: manifests are data here
type Loose = any;

const IMAGE = `sidekit/wait-for:${JSON.parse(readFileSync('package.json', 'utf8')).version}`;
const TOOLBOX = readFileSync(new URL('toolbox.cjs', import.meta.url), 'utf8');
const NODE = ['/nodejs/bin/node', '/toolbox/toolbox.cjs'];

/**
 * A Pod of a lifecycle test: its spec in short, as YAML. `run: words` of a container, a probe or a
 * hook is the toolbox with these words; the image, the shared state and what Pod Security
 * *restricted* asks for are added.
 */
export function lifecyclePod(name: string, spec: string, more = ''): string {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: complete(parse(spec)) };
  const toolbox = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-toolbox` },
    data: { 'toolbox.cjs': TOOLBOX },
  };
  pod.spec.volumes = [
    ...(pod.spec.volumes ?? []),
    { name: 'state', emptyDir: {} },
    { name: 'toolbox', configMap: { name: `${name}-toolbox` } },
  ];
  return [stringify(pod), stringify(toolbox), more].join('---\n');
}

/**
 * A Job whose Pods are those of a lifecycle test.
 * @param fields further fields of the Job's spec.
 */
export function lifecycleJob(name: string, spec: string, fields: object = {}): string {
  const [pod = '', toolbox = ''] = lifecyclePod(name, spec).split('---\n');
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { ...fields, template: { spec: parse(pod).spec } },
  };
  return [stringify(job), toolbox].join('---\n');
}

function complete(spec: Loose): Loose {
  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const container = (one: Loose) => ({
    image: IMAGE,
    imagePullPolicy: 'IfNotPresent',
    ...runs(one),
    securityContext: { ...restricted, ...one.securityContext },
    volumeMounts: [
      ...(one.volumeMounts ?? []),
      { name: 'state', mountPath: '/state' },
      { name: 'toolbox', mountPath: '/toolbox' },
    ],
  });
  return {
    terminationGracePeriodSeconds: 5,
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    ...spec,
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      ...spec.securityContext,
    },
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(container) } : {}),
    containers: spec.containers.map(container),
  };
}

/** Replaces every `run` by the command, in probes and hooks by an exec. */
function runs(value: Loose, top = true): Loose {
  if (Array.isArray(value)) return value.map((one) => runs(one, false));
  if (typeof value !== 'object' || value === null) return value;
  const { run, ...rest } = value;
  const other = Object.fromEntries(
    Object.entries(rest).map(([key, one]) => [key, runs(one, false)]),
  );
  if (run === undefined) return other;
  const command = [...NODE, ...run.split(' ')];
  return top ? { ...other, command } : { ...other, exec: { command } };
}

/** Lifecycle tests, several at once: most of their time is waiting. */
export function lifecycle(title: string, tests: () => void): void {
  describe(title, { concurrency: 4 }, tests);
}

/** A lifecycle Pod that was applied, and what can be seen of it. */
export class AppliedPod implements AsyncDisposable {
  readonly name: string;
  readonly session: Session;
  readonly #spec: string;
  readonly #directory: string;

  constructor(name: string, spec: string, session: Session, directory: string) {
    this.name = name;
    this.session = session;
    this.#spec = spec;
    this.#directory = directory;
  }

  /**
   * Ends the Pod once the programs of all its containers run, and waits until it has ended. As by
   * deletion, but the Pod stays, and its logs: activeDeadlineSeconds may be lowered at any time.
   */
  async end(): Promise<PodStatus> {
    const { initContainers = [], containers } = parse(this.#spec);
    const sidecars = initContainers.filter((one: Loose) => one.restartPolicy === 'Always');
    const starts = [...sidecars, ...containers].map(({ name }) => `${name} starts`);
    await this.#once(`${starts}`, (seen) => starts.every((one) => seen.includes(one)));
    await this.session.reapply(lifecyclePod(this.name, `activeDeadlineSeconds: 1${this.#spec}`));
    return this.ended();
  }

  ended(timeout?: number): Promise<PodStatus> {
    return this.session.completed(this.name, timeout);
  }

  ready(timeout?: number): Promise<PodStatus> {
    return this.session.ready(this.name, timeout);
  }

  /** Waits until what is said of the Pod holds. */
  when(what: string, holds: (pod: PodStatus) => boolean, timeout?: number): Promise<PodStatus> {
    return this.session.when(this.name, what, holds, timeout);
  }

  /** Everything that happened so far, in the order of time. */
  async timeline(): Promise<TimelineEvent[]> {
    const log = await this.session.allLogs(this.name);
    const lines = [...log.matchAll(/(\d{13}\.\d+) (\S+) (.+)$/gm)];
    // Containers repeat what came before them.
    const events = new Map(
      lines.map(([line, at, container = '', what = '']) => [
        line,
        { at: Number(at), container, what },
      ]),
    );
    return [...events.values()].toSorted((a, b) => a.at - b.at);
  }

  /** The timeline once an event is in it so often: a log comes a little after its event. */
  async settled(event: string, times = 1): Promise<TimelineEvent[]> {
    return this.#once(event, (seen) => seen.filter((one) => one === event).length >= times);
  }

  #once(what: string, holds: (seen: readonly string[]) => boolean): Promise<TimelineEvent[]> {
    const found = async () => {
      const timeline = await this.timeline();
      return holds(orderOf(timeline)) ? timeline : undefined;
    };
    return eventually(found, { what: `${this.name}: ${what}`, interval: 500 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Applies a lifecycle Pod on the engine of POD_ENGINE. */
export async function apply(name: string, spec: string, more = ''): Promise<AppliedPod> {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-lifecycle-'));
  const path = join(directory, `${name}.yaml`);
  writeFileSync(path, lifecyclePod(name, spec, more));
  return new AppliedPod(
    name,
    spec,
    await testEngine().apply(path, { keepEvidence: false }),
    directory,
  );
}

/** `container event` lines of a timeline, for comparing its order. */
export function orderOf(timeline: readonly TimelineEvent[]): string[] {
  return timeline.map(({ container, what }) => `${container} ${what}`);
}

/** Returns when an event happened, the `nth` time. @throws Error with the timeline if it did not. */
export function timeOf(timeline: readonly TimelineEvent[], event: string, nth = 0): number {
  const found = timeline.filter(({ container, what }) => `${container} ${what}` === event)[nth];
  if (!found) throw new Error(`not ${nth + 1} times: ${event}\n${orderOf(timeline).join('\n')}`);
  return found.at;
}

/** Fails unless these events happened in this order; others may stand between them. */
export function assertOrder(timeline: readonly TimelineEvent[], expected: readonly string[]): void {
  const order = orderOf(timeline);
  let from = 0;
  for (const event of expected) {
    const found = order.indexOf(event, from);
    if (found === -1) {
      throw new Error(`"${event}" is missing or too early in:\n${order.join('\n')}`);
    }
    from = found + 1;
  }
}
