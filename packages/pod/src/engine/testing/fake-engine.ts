import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { temporaryDirectory } from '@sidekit/test-kit';

/** Serves an engine's API on a Unix socket, with the answers of a test. */
export async function fakeEngine(
  answer: RequestListener,
): Promise<AsyncDisposable & { readonly socket: string }> {
  const directory = temporaryDirectory('engine');
  const socket = join(directory.path, 's');
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      directory.remove();
    },
  };
}

/** One frame of an output stream. */
export function frame(stream: number, text: string): Buffer {
  const content = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(content.length, 4);
  return Buffer.concat([head, content]);
}
