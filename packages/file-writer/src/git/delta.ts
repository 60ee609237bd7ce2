import { Failure } from '../failure.ts';
import type { Base } from './scratch-file.ts';

/** The size of the pieces that a large result is delivered in, in bytes. */
const PIECE = 64 * 1024;

/** One decoded instruction; `literal` bytes follow it in the delta, or `count` come from the base. */
const instruction = { offset: 0, count: 0, literal: 0, next: 0 };

/**
 * Decodes the instruction at `position` into `instruction` (gitformat-pack(5), "Deltified
 * representation"). @returns false if the delta ends inside it.
 */
function decode(delta: Uint8Array, position: number): boolean {
  const first = delta[position++]!;
  let [offset, count] = [0, 0];
  if (first < 128) {
    if (first === 0) throw broken();
    Object.assign(instruction, { offset, count, literal: first, next: position });
    return position + first <= delta.length;
  }
  for (let i = 0; i < 4; i++) if (first & (1 << i)) offset += (delta[position++] ?? 0) * 256 ** i;
  for (let i = 0; i < 3; i++) if (first & (16 << i)) count += (delta[position++] ?? 0) * 256 ** i;
  Object.assign(instruction, { offset, count: count || 0x10000, literal: 0, next: position });
  return position <= delta.length;
}

/** The sizes that a delta declares, and the length of that declaration. */
export interface DeltaHeader {
  readonly baseSize: number;
  readonly resultSize: number;
  readonly length: number;
}

/** Reads the start of a delta: two numbers of 7 bits a byte. @throws {Failure} if it is cut. */
export function deltaHeader(delta: Uint8Array): DeltaHeader {
  let position = 0;
  const size = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = delta[position++];
      if (byte === undefined || factor > 2 ** 49) throw broken();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  return { baseSize: size(), resultSize: size(), length: position };
}

/**
 * Applies a delta to its base in memory.
 * @throws {Failure} if it does not fit its base, or its result is larger than `limit` bytes.
 */
export function applyDelta(base: Buffer, delta: Buffer, limit: number): Buffer {
  const { baseSize, resultSize, length } = deltaHeader(delta);
  if (baseSize !== base.length || resultSize > limit) throw broken();
  const result = Buffer.allocUnsafe(resultSize);
  let filled = 0;
  for (let position = length; position < delta.length; ) {
    if (!decode(delta, position)) throw broken();
    const { offset, count, literal, next } = instruction;
    if (offset + count > base.length || filled + count + literal > resultSize) throw broken();
    filled += literal
      ? delta.copy(result, filled, next, next + literal)
      : base.copy(result, filled, offset, offset + count);
    position = next + literal;
  }
  if (filled !== resultSize) throw broken();
  return result;
}

/** Applies a delta of any size to a base of any size, with a bounded amount of memory. */
export async function* applyLargeDelta(
  base: Base,
  delta: AsyncIterable<Uint8Array>,
  header: DeltaHeader,
): AsyncGenerator<Uint8Array> {
  if (header.baseSize !== base.length) throw broken();
  let left = header.resultSize;
  let skip = header.length;
  let rest = Buffer.alloc(0);
  let piece = Buffer.allocUnsafe(PIECE);
  let filled = 0;
  for await (const chunk of delta) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let position = Math.min(skip, rest.length);
    skip -= position;
    while (position < rest.length && decode(rest, position)) {
      const { offset, count, literal, next } = instruction;
      left -= count + literal;
      if (offset + count > base.length || left < 0) throw broken();
      for (let done = 0; done < count + literal; ) {
        const part = Math.min(count + literal - done, PIECE - filled);
        if (literal) rest.copy(piece, filled, next + done, next + done + part);
        else base.copy(piece, filled, offset + done, offset + done + part);
        done += part;
        filled += part;
        if (filled < PIECE) continue;
        yield piece;
        piece = Buffer.allocUnsafe(PIECE);
        filled = 0;
      }
      position = next + literal;
    }
    rest = rest.subarray(position);
  }
  if (left !== 0 || rest.length > 0) throw broken();
  if (filled > 0) yield piece.subarray(0, filled);
}

function broken(): Failure {
  return new Failure('git_pack', 'the git server sent a broken delta');
}
