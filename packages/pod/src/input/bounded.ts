import { MAX_MANIFEST } from '../manifest/document.ts';

/** Reads a stream to its end. @throws Error if it is larger than a manifest may be. */
export async function readBounded(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_MANIFEST) throw new Error('larger than 3 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
