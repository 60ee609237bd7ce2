import type { IncomingMessage } from 'node:http';

/** The streams of a frame (Docker Engine API, "Stream format"); 3 is Podman's for its own errors. */
const SYSTEM_ERROR = 3;
/** The most that is kept of the engine's own error, in bytes. */
const ERROR_LIMIT = 2048;

/** Output of a command, as far as it was kept. */
export interface FramedOutput {
  readonly text: string;
  /** The engine's own error: the command was not started. */
  readonly systemError: string;
}

/**
 * Reads stdout and stderr of a command from a stream of frames: a header of eight bytes (stream,
 * three zeros, length) before each. Keeps at most `limit` bytes, and reads on to the end, so that
 * the command is not blocked.
 */
export async function readFrames(response: IncomingMessage, limit: number): Promise<FramedOutput> {
  const kept: Buffer[] = [];
  const errors: Buffer[] = [];
  let room = limit;
  let errorRoom = ERROR_LIMIT;
  let header = Buffer.alloc(0);
  let stream = 0;
  let left = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        const more = chunk.subarray(at, at + 8 - header.length);
        header = Buffer.concat([header, more]);
        at += more.length;
        if (header.length < 8) break;
        stream = header[0] ?? 0;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      const error = stream === SYSTEM_ERROR;
      const some = part.subarray(0, error ? errorRoom : room);
      if (error) errorRoom -= some.length;
      else room -= some.length;
      if (some.length > 0) (error ? errors : kept).push(Buffer.from(some));
    }
  }
  return {
    text: Buffer.concat(kept).toString('utf8'),
    systemError: Buffer.concat(errors).toString('utf8').trim(),
  };
}
