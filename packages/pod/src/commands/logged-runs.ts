import { ExitCode, ExpectedError, nearest } from '@sidekit/core/tool';
import type { Engine } from '../engine/engine.ts';
import type { PodFolder } from '../store/folder.ts';
import { allStatuses } from './summary.ts';

/** A run of a container that has a log. */
export interface LoggedRun {
  readonly name: string;
  readonly id: string;
}

/** The runs that have a log: running, ended, or waiting after one. */
export function containersOf(
  folder: PodFolder,
  wanted: string | undefined,
  previous = false,
): LoggedRun[] {
  const names = containerNames(folder);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new ExpectedError(
      `no container ${wanted} in Pod ${folder.name}: ${nearest(wanted, names) ?? `there are ${names.join(', ')}`}`,
      ExitCode.usage,
    );
  }
  return runsOf(folder, wanted, previous);
}

/** As `containersOf`, also for a Pod that was removed meanwhile: it has none. */
export function runsOf(
  { status }: PodFolder,
  wanted: string | undefined,
  previous = false,
): LoggedRun[] {
  return (status ? allStatuses(status) : [])
    .filter(({ name }) => wanted === undefined || name === wanted)
    .flatMap(({ name, containerID, lastState }) => {
      const id = previous ? lastState.terminated?.containerID : containerID;
      return id ? [{ name, id: id.replace(/^\w+:\/\//, '') }] : [];
    });
}

export function containerNames({ record }: PodFolder): string[] {
  const { initContainers, containers } = record.pod.spec;
  return [...initContainers, ...containers].map(({ name }) => name);
}

/** Whether a run may still write to its log. */
export async function isRunning(folder: PodFolder, id: string, engine: Engine): Promise<boolean> {
  const { status } = folder;
  const runs = (status ? allStatuses(status) : []).some(
    ({ containerID, state }) => state.running && containerID.endsWith(id),
  );
  // A supervisor that was killed does not report the end.
  return runs && (folder.supervised || (await engine.inspect(id))?.running === true);
}
