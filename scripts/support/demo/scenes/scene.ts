import { parse } from 'yaml';
import type { StageTarget } from '../target.ts';
import { within } from '../within.ts';

/**
 * A fault that the demo causes in the Pods of the manifest at `path`.
 * @returns the sentence that says what it changed.
 */
export type Scene = (target: StageTarget, path: string) => Promise<string>;

/** Waits until a killed container was started again. @returns how long that took. */
export async function startedAgain(
  target: StageTarget,
  pod: string,
  container: string,
): Promise<string> {
  const start = performance.now();
  await within(
    target,
    `${container} again`,
    async () => (await target.restarts(pod, container)) > 0,
  );
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
