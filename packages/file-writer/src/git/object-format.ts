import { createHash, type Hash } from 'node:crypto';

/** The hash function of a repository (gitformat-pack(5)), and the length of its ids in bytes. */
export interface ObjectFormat {
  readonly name: 'sha1' | 'sha256';
  readonly bytes: 20 | 32;
}

export const SHA1: ObjectFormat = { name: 'sha1', bytes: 20 };
export const SHA256: ObjectFormat = { name: 'sha256', bytes: 32 };

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** Starts the hash that becomes the id of an object. */
export function objectHash(format: ObjectFormat, type: ObjectType, length: number): Hash {
  return createHash(format.name).update(`${type} ${length}\0`);
}
