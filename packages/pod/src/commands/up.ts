import { spawn } from 'node:child_process';
import { ExitCode, pause, UsageError } from '@sidekit/core';
import { Engine } from '../engine/engine.ts';
import { findEngine } from '../engine/find.ts';
import type { PodObject, Workload } from '../manifest/types.ts';
import { readWorkload } from '../manifest/workload.ts';
import { tell } from '../supervisor/control.ts';
import { encodeData, type PodFolder, type PodRecord } from '../supervisor/store.ts';
import { openLog } from '../supervisor/supervisor.ts';
import { readArguments } from './arguments.ts';
import { removePods } from './down.ts';
import { exposures } from './ports.ts';
import type { Session } from './session.ts';
import { allStatuses, hasEnded, isReady, podSummary, stateOf } from './summary.ts';
import { paint } from './terminal.ts';

export const upHelp = `pod up FILE… [--engine docker|podman] [--timeout 60s] [--backoff-base 10s]
  Starts the Pods of the files and waits until each is Ready, or has completed where its
  restartPolicy is Never or OnFailure. FILE may be - for stdin. Applied again, changed ConfigMaps
  and Secrets reach the running Pods, and a changed Pod is replaced.
  Exit codes: 0 Ready or completed, 69 not in time, 70 failed, 64 a manifest is wrong.
`;

/** Starts Pods, and follows them until they are Ready or have completed. */
export async function up(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['engine', 'timeout', 'backoff-base', 'filename']);
  const filename = args.text('filename');
  const files = [...args.words, ...(filename === undefined ? [] : [filename])];
  if (files.length === 0)
    throw new UsageError([{ name: 'FILE', rule: 'is missing', remedy: 'pod up my-pod.yaml' }]);
  const workload = readWorkload(files);
  const found = await findEngine(args.text('engine') ?? session.engine);
  const backoffBase = args.milliseconds('backoff-base');
  await new Engine(found).ensurePauseImage();
  const exposed = await exposures(workload);
  const started: PodFolder[] = [];
  const done = session.onInterrupt(async () => {
    session.print('\nstopping');
    await removePods(started, session, undefined);
    return 130;
  });
  for (const pod of workload.pods) {
    const folder = session.store.pod(pod.metadata.name);
    started.push(folder);
    const record: PodRecord = {
      pod,
      engine: found,
      configMaps: encodeData(workload.configMaps),
      secrets: encodeData(workload.secrets),
      services: [],
      publish: [],
      ...exposed.get(pod),
      ...(backoffBase === undefined ? {} : { backoffBase }),
    };
    await startOrUpdate(folder, record, session);
  }
  const code = await follow(started, workload, args.milliseconds('timeout') ?? 60_000, session);
  done();
  if (code === ExitCode.ok) await printAddresses(started, new Engine(found), session);
  return code;
}

async function startOrUpdate(folder: PodFolder, record: PodRecord, session: Session) {
  const { name } = record.pod.metadata;
  if (folder.status && folder.supervised && sameSpec(folder.record, record)) {
    folder.record = { ...folder.record, configMaps: record.configMaps, secrets: record.secrets };
    await tell(folder.file('control.sock'), { type: 'update' });
    session.print(`${name}: unchanged, its ConfigMaps and Secrets were published anew`);
    return;
  }
  if (folder.status) {
    session.print(`${name}: replaced`);
    await removePods([folder], session, undefined);
  }
  folder.record = record;
  superviseDetached(folder, session);
}

function sameSpec(a: PodRecord, b: PodRecord): boolean {
  return (
    JSON.stringify(a.pod) === JSON.stringify(b.pod) &&
    JSON.stringify(a.services) === JSON.stringify(b.services)
  );
}

/** The supervisor outlives this command; its own output goes to the Pod's folder. */
function superviseDetached(folder: PodFolder, session: Session) {
  const log = openLog(folder);
  const child = spawn(process.execPath, [session.program, 'supervise', folder.path], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: session.environment,
    cwd: '/',
  });
  child.unref();
  log.close();
}

async function follow(
  folders: readonly PodFolder[],
  workload: Workload,
  timeout: number,
  session: Session,
): Promise<ExitCode> {
  const deadline = performance.now() + timeout;
  const shown = new Map<PodFolder, number>();
  const wide = Math.max(...folders.map(({ name }) => name.length));
  for (;;) {
    for (const folder of folders) showTimeline(folder, shown, wide, session);
    const states = folders.map((folder, i) => outcome(folder, workload.pods[i]));
    if (states.every((state) => state === 'good')) return ExitCode.ok;
    if (states.some((state) => state === 'bad')) {
      for (const folder of folders) sayFailure(folder, session);
      return ExitCode.internal;
    }
    if (performance.now() > deadline) {
      const waiting = folders.filter((_, i) => states[i] === 'waiting');
      // One that runs to an end and is Ready has simply not ended yet.
      if (waiting.every(({ status }) => status && isReady(status))) return ExitCode.ok;
      for (const folder of waiting) sayWaiting(folder, session, timeout);
      return ExitCode.unavailable;
    }
    await pause(25);
  }
}

function outcome(folder: PodFolder, pod: PodObject | undefined): 'good' | 'bad' | 'waiting' {
  const { status } = folder;
  if (!status) return 'waiting';
  // Its sidecars may still be on their way out.
  if (hasEnded(status) && folder.supervised) return 'waiting';
  if (status.status.phase === 'Failed') return 'bad';
  if (status.status.phase === 'Succeeded') return 'good';
  return pod?.spec.restartPolicy === 'Always' && isReady(status) ? 'good' : 'waiting';
}

function showTimeline(
  folder: PodFolder,
  shown: Map<PodFolder, number>,
  wide: number,
  session: Session,
) {
  const entries = folder.timeline;
  for (const { reason, container = '', message } of entries.slice(shown.get(folder) ?? 0)) {
    const text = `${folder.name.padEnd(wide)}  ${container.padEnd(14)}  ${reason.padEnd(12)}  ${message}`;
    session.print(
      reason.startsWith('Fail') || reason === 'Died' || reason === 'Unhealthy'
        ? paint(session.terminal, '33', text)
        : text,
    );
  }
  shown.set(folder, entries.length);
}

function sayFailure(folder: PodFolder, session: Session) {
  if (folder.status?.status.phase !== 'Failed') return;
  session.print(`${folder.name}: ${podSummary(folder.status)}; see pod logs ${folder.name}`);
}

function sayWaiting(folder: PodFolder, session: Session, timeout: number) {
  const { status } = folder;
  const reasons = status
    ? allStatuses(status)
        .filter(({ ready, started }) => !ready || !started)
        .map(
          (one) =>
            `${one.name} ${stateOf(one)?.message ?? (stateOf(one)?.reason === 'Running' ? 'is not ready' : stateOf(one)?.reason)}`,
        )
    : ['its supervisor has not begun'];
  session.print(`${folder.name}: not within ${timeout / 1000} s: ${reasons.join('; ')}`);
}

async function printAddresses(folders: readonly PodFolder[], engine: Engine, session: Session) {
  for (const folder of folders) {
    const { publish } = folder.record;
    if (publish.length === 0 || !folder.status || hasEnded(folder.status)) continue;
    for (const { name, container, host } of publish) {
      const port = host || (await engine.publishedPort(`pod-${folder.name}`, container));
      session.print(`${name.padEnd(16)} http://127.0.0.1:${port} → ${folder.name}:${container}`);
    }
  }
}
