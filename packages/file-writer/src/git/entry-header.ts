import { Failure } from '../failure.ts';
import type { ObjectFormat, ObjectType } from './object-format.ts';
import type { Entry } from './pack-index.ts';

/** The types of objects by their kind in a pack; a delta has the type of its base. */
export const TYPES: readonly (ObjectType | undefined)[] = [
  undefined,
  'commit',
  'tree',
  'blob',
  'tag',
];
const OFFSET_DELTA = 6;
export const REFERENCE_DELTA = 7;
/** The longest header of an entry, in bytes: its size, and the offset or id of its base. */
export const HEADER = 64;

/**
 * Reads the header of an entry (gitformat-pack(5)).
 * @param bytes from the entry's start, up to HEADER of them.
 * @param offset of the entry in the pack.
 * @throws {Failure} if it is cut short, or of an unknown kind.
 */
export function readEntryHeader(bytes: Buffer, offset: number, format: ObjectFormat): Entry {
  let position = 0;
  const next = () => {
    const byte = bytes[position++];
    if (byte === undefined) throw new Failure('git_pack', 'the pack ends too early');
    return byte;
  };
  let byte = next();
  const kind = (byte >> 4) & 7;
  let size = byte & 15;
  for (let factor = 16; byte >= 128; factor *= 128) {
    byte = next();
    size += (byte & 127) * factor;
  }
  let base: number | undefined;
  if (kind === OFFSET_DELTA) {
    byte = next();
    let back = byte & 127;
    while (byte >= 128) {
      byte = next();
      back = (back + 1) * 128 + (byte & 127);
    }
    base = offset - back;
  } else if (kind === REFERENCE_DELTA) {
    position += format.bytes;
  } else if (!TYPES[kind]) {
    throw new Failure('git_pack', `the pack has an object of the unknown kind ${kind}`);
  }
  return { kind, offset, data: offset + position, size, length: size, base };
}
