import { MAX_MANIFEST } from '../manifest/document.ts';

/** Reads a stream to its end. @throws Error if it is larger than a manifest may be, or not text. */
export async function readBounded(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_MANIFEST) throw new Error('larger than 3 MiB');
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Error('not UTF-8');
  }
}
