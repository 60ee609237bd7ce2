import { fingerprint, HEAD_LENGTH, readAt, sameBytes, TAIL_LENGTH, tailBefore } from './bytes.ts';
import type { FileFacts, Generation } from './generation.ts';
import { furthestOf } from './saved-form.ts';

/** The heads of files that were opened, which are compared with those of many generations. */
const heads = new WeakMap<FileFacts, Buffer>();

/** A copy up to this size, in bytes, is compared completely; a larger one at both ends. */
const WHOLE = 4 * 1024 * 1024;

/**
 * Whether `file` is what `cp` made of a generation, as logrotate's copytruncate does: created
 * after the original and holding the bytes that the generation is known to have. In doubt it is
 * not a copy: reading a file twice is better than never reading it.
 */
export function isCopyOf(file: FileFacts, generation: Generation): boolean {
  if (!beginsLike(file, generation)) return false;
  const born = file.birth !== 0n && generation.birth !== 0n;
  if (file.size === 0 || (born && file.birth < generation.birth)) return false;
  // The copy may have the inode that the original had before it was deleted.
  if (file.inode === generation.inode && !(born && file.birth > generation.birth)) return false;
  const { fd, detached } = generation;
  const known = fd !== undefined && !detached && file.size <= generation.currentSize;
  if (known && sameContent(file, fd)) return true;
  // The original may have just been truncated: compare with what was read of it.
  return generation.saved ? matchesSaved(file, generation) : matchesRead(file, generation);
}

/**
 * Whether a file begins as a generation does. Most files differ in their first bytes, which are in
 * memory: only what begins alike is worth a look at either file.
 */
export function beginsLike(file: FileFacts, { head, saved }: Generation): boolean {
  if (saved) return true;
  let own = heads.get(file);
  if (own === undefined) {
    own = readAt(file.fd, 0, HEAD_LENGTH);
    heads.set(file, own);
  }
  const length = Math.min(own.length, head.length);
  return own.compare(head, 0, length, 0, length) === 0;
}

/** Compares with an original that still exists: the copy is its beginning. */
function sameContent({ fd, size }: FileFacts, original: number): boolean {
  if (size <= WHOLE) return sameBytes(fd, original, 0, size);
  const half = WHOLE / 2;
  return sameBytes(fd, original, 0, half) && sameBytes(fd, original, size - half, half);
}

/**
 * Whether `file` may be the copy of a generation of which nothing was read, which has lost its
 * content since: the copy begins as the generation did, and is not shorter than it was. A file that
 * is taken for a copy by mistake is read once too, from its first byte on.
 */
export function isUnreadCopyOf(file: FileFacts, generation: Generation): boolean {
  const { read, head, saved, size, birth, detached, fd } = generation;
  if (read.offset !== 0 || file.size === 0 || file.size < size) return false;
  if (file.birth !== 0n && birth !== 0n && file.birth < birth) return false;
  if (!detached && fd !== undefined && generation.actualSize >= file.size) return false;
  if (saved) {
    const { length, hash } = saved.head;
    return length > 0 && file.size >= length && fingerprint(readAt(file.fd, 0, length)) === hash;
  }
  return head.length > 0 && readAt(file.fd, 0, head.length).equals(head);
}

function matchesSaved(file: FileFacts, { saved }: Generation): boolean {
  if (!saved) return false;
  const { offset, tail } = furthestOf(saved);
  if (offset === 0 || file.size < offset || file.size < saved.head.length) return false;
  return (
    fingerprint(readAt(file.fd, 0, saved.head.length)) === saved.head.hash &&
    fingerprint(tailBefore(file.fd, offset)) === tail.hash
  );
}

/**
 * Compares with an original that is gone, by its head and the bytes before the read offset. A
 * shorter copy must end at a remembered place, since files that start alike differ after one.
 */
function matchesRead(file: FileFacts, generation: Generation): boolean {
  const { read, places } = generation;
  const place =
    read.offset <= file.size ? read : places.findLast(({ offset }) => offset === file.size);
  if (!place || place.offset === 0) return false;
  const length = Math.min(HEAD_LENGTH, generation.head.length, file.size);
  if (!readAt(file.fd, 0, length).equals(generation.head.subarray(0, length))) return false;
  const tail = tailBefore(file.fd, place.offset);
  return tail.length === Math.min(TAIL_LENGTH, place.offset) && tail.equals(place.tail);
}
