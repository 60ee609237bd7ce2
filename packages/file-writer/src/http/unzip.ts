import { createGunzip } from 'node:zlib';
import { Failure } from '../failure.ts';
import { through } from '../io/through.ts';
import { show } from './show.ts';

/** Decompresses a gzip body. @throws {Failure} if it is invalid or incomplete. */
export async function* unzipped(
  body: AsyncIterable<Uint8Array>,
  url: URL,
): AsyncGenerator<Uint8Array> {
  try {
    yield* through(body, createGunzip());
  } catch (error) {
    if (error instanceof Failure || (error as Error).name === 'AbortError') throw error;
    throw new Failure('encoding', `${show(url)} sent invalid gzip data: check the server`);
  }
}
