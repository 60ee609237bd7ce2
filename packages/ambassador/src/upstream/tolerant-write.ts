import type { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * Keeps a socket readable after a write that failed because the peer closed: its response may have
 * arrived before. node:net would destroy the socket with the response in it.
 * @param onFailed is called once, with the error; later writes are discarded.
 */
export function keepReadable(socket: Socket, onFailed: (error: Error) => void): void {
  let failed = false;
  const guard =
    (done: Done): Done =>
    (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException;
      if (code !== 'EPIPE' && code !== 'ECONNRESET') {
        done(error);
        return;
      }
      if (!failed) onFailed(error!);
      failed = true;
      done();
    };
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, done) => {
    if (failed) done();
    else write(chunk, encoding, guard(done));
  };
  const writev = socket._writev?.bind(socket);
  if (writev)
    socket._writev = (chunks, done) => {
      if (failed) done();
      else writev(chunks, guard(done));
    };
}
