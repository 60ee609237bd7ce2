import { finished, type Transform } from 'node:stream';
import { promisify } from 'node:util';

const end = promisify(finished);

/**
 * Passes chunks through a zlib stream, never more than it accepts. The iteration ends with the
 * compressed data, whatever follows it, and closes the stream.
 * @throws the error of the input or of the stream.
 */
export async function* through(
  chunks: AsyncIterable<Uint8Array>,
  engine: Transform,
): AsyncGenerator<Uint8Array> {
  const feed = (async () => {
    for await (const chunk of chunks) {
      if (engine.destroyed || engine.readableEnded) return;
      if (!engine.write(chunk)) await accepts(engine);
    }
    engine.end();
  })();
  feed.catch((error) => engine.destroy(error));
  // Without this handler an error before the first read would be unhandled.
  end(engine).catch(() => {});
  try {
    yield* engine as AsyncIterable<Uint8Array>;
    await feed;
  } finally {
    engine.destroy();
  }
}

/** Waits until the stream accepts more data, or has ended. */
function accepts(stream: Transform): Promise<void> {
  if (stream.destroyed || stream.readableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done).off('end', done);
      resolve();
    };
    stream.on('drain', done).on('close', done).on('end', done);
  });
}
