import { Failure } from '../failure.ts';

/**
 * Applies a delta to its base (gitformat-pack(5), "Deltified representation").
 * @throws {Failure} if it does not fit its base, or its result is larger than `limit` bytes.
 */
export function applyDelta(base: Buffer, delta: Buffer, limit: number): Buffer {
  let position = 0;
  const next = () => {
    const byte = delta[position++];
    if (byte === undefined) throw broken();
    return byte;
  };
  const size = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = next();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  if (size() !== base.length) throw broken();
  const length = size();
  if (length > limit) throw broken();
  const result = Buffer.allocUnsafe(length);
  let filled = 0;
  while (position < delta.length) {
    const instruction = next();
    if (instruction >= 128) {
      let offset = 0;
      let count = 0;
      for (let i = 0; i < 4; i++) if (instruction & (1 << i)) offset += next() * 256 ** i;
      for (let i = 0; i < 3; i++) if (instruction & (16 << i)) count += next() * 256 ** i;
      count ||= 0x10000;
      if (offset + count > base.length || filled + count > length) throw broken();
      filled += base.copy(result, filled, offset, offset + count);
    } else {
      if (instruction === 0 || position + instruction > delta.length) throw broken();
      if (filled + instruction > length) throw broken();
      filled += delta.copy(result, filled, position, position + instruction);
      position += instruction;
    }
  }
  if (filled !== length) throw broken();
  return result;
}

function broken(): Failure {
  return new Failure('git_pack', 'the git server sent a broken delta');
}
