import { ExitCode, pause, UsageError } from '@sidekit/core';
import { Engine } from '../engine/engine.ts';
import { readWorkload } from '../manifest/workload.ts';
import { tell } from '../supervisor/control.ts';
import { setEndpoint } from '../supervisor/hosts.ts';
import { type PodFolder, podLabel } from '../supervisor/store.ts';
import { releaseVolumes } from '../supervisor/volumes.ts';
import { readArguments } from './arguments.ts';
import type { Session } from './session.ts';

export const downHelp = `pod down POD… | -f FILE | --all [--grace-period 30s]
  Ends Pods as the kubelet does and removes everything of theirs.
`;

/** Ends Pods by name, by manifest, or all. */
export async function down(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['all', 'filename', 'grace-period', 'engine']);
  const file = args.text('filename');
  const names =
    file === undefined
      ? args.words
      : readWorkload([file]).pods.map(({ metadata }) => metadata.name);
  if (names.length === 0 && !args.has('all')) {
    throw new UsageError([
      {
        name: 'POD',
        rule: 'is missing',
        remedy: 'pod down POD, pod down -f FILE, or pod down --all',
      },
    ]);
  }
  const folders = args.has('all')
    ? session.store.pods
    : names.map((name) => session.store.existing(name));
  const grace = args.milliseconds('grace-period');
  await removePods(folders, session, grace === undefined ? undefined : grace / 1000);
  for (const { name } of folders) session.print(`${name} removed`);
  return ExitCode.ok;
}

/** Terminates Pods side by side, waits, and removes containers, mounts and folders. */
export async function removePods(
  folders: readonly PodFolder[],
  session: Session,
  gracePeriodSeconds: number | undefined,
): Promise<void> {
  await Promise.all(folders.map((folder) => removePod(folder, session, gracePeriodSeconds)));
}

async function removePod(
  folder: PodFolder,
  session: Session,
  gracePeriodSeconds: number | undefined,
) {
  const { pod, engine, services } = folder.record;
  const request = {
    type: 'terminate' as const,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  };
  // A supervisor that has just been started takes a moment until it listens.
  for (let tries = 0; tries < 100 && !folder.supervised && !folder.status && tries < 40; tries++)
    await pause(25);
  while (folder.supervised && !(await tell(folder.file('control.sock'), request))) await pause(25);
  while (folder.supervised) await pause(25);
  // Whatever is left, also of a supervisor that was killed.
  const runtime = new Engine(engine);
  const infra = `pod-${folder.name}`;
  const left = await runtime.labelled(podLabel(folder.name));
  // The one that owns the namespaces goes after those that use them.
  await runtime.remove(left.filter((name) => name !== infra));
  await runtime.remove(left.filter((name) => name === infra));
  setEndpoint(session.store.endpoints, services, folder.name, undefined);
  releaseVolumes(folder.file('volumes'), pod);
  folder.remove();
}
