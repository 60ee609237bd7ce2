/**
 * The thread that renders one template: its memory and its time are limited from outside, which no
 * code that runs in it can escape. It imports only what renders, so that it starts fast.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { templateEngine } from './engine.ts';
import type { Message, Task } from './task.ts';

/** The size of the pieces of the output, in characters. */
const PIECE = 64 * 1024;

const { text, path, scope, maxSize } = workerData as Task;
const post = (message: Message) => parentPort?.postMessage(message);
try {
  const engine = templateEngine();
  engine.render(engine.parse(text, path), scope, piecesOf(maxSize));
  post({ done: true });
} catch (error) {
  const { token, originalError = error } = error as Fault;
  const [line, column] = token?.getPosition?.() ?? [];
  const place = line === undefined ? '' : `:${line}:${column}`;
  const { message = String(originalError) } = originalError as { message?: string };
  post({ fault: `${path}${place}: ${message.replace(/, file:.*/s, '')}` });
}

interface Fault {
  readonly token?: { getPosition?(): [line: number, column: number] };
  readonly originalError?: unknown;
}

/** Sends the output in pieces; the one that goes beyond the limit, in bytes, is the last. */
function piecesOf(limit: number) {
  let piece = '';
  let size = 0;
  const flush = () => {
    size += Buffer.byteLength(piece);
    post({ piece });
    piece = '';
    if (size > limit) throw new Error(`the output is larger than ${limit} bytes`);
  };
  return {
    write(part: string) {
      piece += part;
      if (piece.length >= PIECE) flush();
    },
    end: flush,
  };
}
