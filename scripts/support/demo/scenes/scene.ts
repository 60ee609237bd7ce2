import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import type { StageTarget } from '../target.ts';

/**
 * A fault that the demo causes in the Pods of the manifest at `path`.
 * @returns the sentence that says what it changed.
 */
export type Scene = (target: StageTarget, path: string) => Promise<string>;

/** The longest time that a part of a scene takes, in milliseconds. */
const TIMEOUT = 60_000;
/** The pause between two checks, in milliseconds. */
const INTERVAL = 50;

/** Waits for a condition. @throws Error that says what did not come. */
export async function within(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + TIMEOUT;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`not within ${TIMEOUT / 1000} s: ${what}`);
    await delay(INTERVAL);
  }
}

/** Waits until a killed container was started again. @returns how long that took. */
export async function startedAgain(
  target: StageTarget,
  pod: string,
  container: string,
): Promise<string> {
  const start = performance.now();
  await within(`${container} again`, async () => (await target.restarts(pod, container)) > 0);
  return since(start);
}

/** Seconds since `start` (of performance.now), as `1.4 s`. */
export function since(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** Returns a manifest without some of its Pods. */
export function without(manifest: string, ...pods: string[]): string {
  return manifest
    .split(/^---\n/m)
    .filter((document) => {
      const { kind, metadata } = parse(document) as { kind: string; metadata: { name: string } };
      return kind !== 'Pod' || !pods.includes(metadata.name);
    })
    .join('---\n');
}
