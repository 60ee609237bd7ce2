import { readFileSync } from 'node:fs';

/** A limit of setrlimit(2), in the form of Podman's API. */
export interface ProcessLimit {
  readonly type: 'nofile' | 'nproc';
  readonly soft: number;
  readonly hard: number;
}

/** Podman's own default for both limits. */
const DEFAULT = 1_048_576;

/**
 * Returns the limits to start containers with: Podman requests 1,048,576 files and processes,
 * which a user, or root without CAP_SYS_RESOURCE, may not raise; limits within the caller's own
 * always work.
 * @returns an empty list if Podman's defaults are allowed.
 */
export function processLimits(): ProcessLimit[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return [];
  }
  const hard = (name: string) =>
    Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(table)?.[1] ?? DEFAULT);
  const files = hard('Max open files');
  if (files >= DEFAULT) return [];
  const processes = Math.min(hard('Max processes'), 16_384);
  return [
    { type: 'nofile', soft: files, hard: files },
    { type: 'nproc', soft: processes, hard: processes },
  ];
}
