import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SEGMENT_DIRECTORY } from './explain.ts';
import { system } from './file.ts';

export interface SegmentInfo {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Lists the segments that containers of this Pod can see, by name. @throws {SharedMemoryError} */
export function listSegments(): SegmentInfo[] {
  return system('shm_list', SEGMENT_DIRECTORY, () => readdirSync(SEGMENT_DIRECTORY))
    .sort()
    .flatMap((file) => statSegment(`/${file}`) ?? []);
}

/** Describes one segment, or returns undefined if there is none of this name. */
export function statSegment(name: string): SegmentInfo | undefined {
  const stats = lstatSync(join(SEGMENT_DIRECTORY, name), { throwIfNoEntry: false });
  if (!stats?.isFile()) return undefined;
  const { size, mode, uid, gid } = stats;
  return { name, size, mode: mode & 0o777, uid, gid };
}
