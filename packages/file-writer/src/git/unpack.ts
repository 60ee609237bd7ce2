import { inflateSync } from 'node:zlib';
import { Failure } from '../failure.ts';

/** The longest compressed form of so many bytes: the pack does not record its length. */
export function packedBound(size: number): number {
  return size + Math.ceil(size / 1000) + 64;
}

/** @returns the content, and how many bytes of `packed` it took. */
export function inflate(packed: Buffer, size: number): { content: Buffer; consumed: number } {
  try {
    const { buffer, engine } = inflateSync(packed, {
      info: true,
      chunkSize: Math.max(64, size + 1),
      maxOutputLength: Math.max(size, 1),
    } as object) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    if (buffer.length === size) return { content: buffer, consumed: engine.bytesWritten };
  } catch {}
  throw damaged();
}

/** Passes content on, and says of zlib's errors that the pack is damaged. */
export async function* translated(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw damaged();
    throw error;
  }
}

/** Reads content of `length` bytes into memory. */
export async function collect(chunks: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  const [first] = all;
  return all.length === 1 && first instanceof Buffer ? first : Buffer.concat(all, length);
}

export function damaged(): Failure {
  return new Failure('git_pack', 'the pack has damaged data');
}
