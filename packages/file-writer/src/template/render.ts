import { extname, join } from 'node:path';
import { errorText } from '@sidekit/core';
import { Allowance } from '../content.ts';
import { Failure } from '../failure.ts';
import { type Message, type Task, THREAD_MARK } from './task.ts';

/** The largest output, in bytes: it is in memory until it is written. */
const OUTPUT = 16 * 1024 * 1024;
/** The memory of the thread, in MiB: what a template may create, its data, and the engine. */
const MEMORY = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 6 };

/** The file of the thread: next to this one, and in an image the bundle, which has all code. */
const THREAD =
  import.meta.dirname === undefined
    ? join(__dirname, 'main.cjs')
    : join(import.meta.dirname, `thread${extname(import.meta.filename)}`);

/**
 * Renders a Liquid template in a thread of its own, which ends with it: whatever the template does,
 * it takes no more memory than these, and no more time than the check, which the signal ends.
 * @throws {Failure} with the line and column, also if the output has more than `maxSize` bytes or
 * 16 MiB.
 */
export async function render(
  { text, path, scope, maxSize }: Task,
  signal: AbortSignal,
): Promise<readonly Buffer[]> {
  const limit = Math.min(maxSize, OUTPUT);
  const task: Task = { text, path, scope, maxSize: limit };
  const pieces: Buffer[] = [];
  const allowance = new Allowance(limit);
  // Loaded for templates only: it takes memory.
  const { Worker } = await import('node:worker_threads');
  const { promise, resolve, reject } = Promise.withResolvers<readonly Buffer[]>();
  const thread = new Worker(THREAD, {
    workerData: task,
    resourceLimits: MEMORY,
    env: { [THREAD_MARK]: '' },
  });
  const fail = (rule: string) => reject(templateFailure(`${path} ${rule}`));
  thread.on('message', (message: Message) => {
    if ('fault' in message) return reject(templateFailure(message.fault));
    if ('done' in message) return resolve(pieces);
    try {
      const piece = Buffer.from(message.piece);
      allowance.take(piece.length);
      pieces.push(piece);
    } catch (error) {
      reject(error as Error);
    }
  });
  thread.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') fail(errorText(error));
    else fail(`needs more than ${MEMORY.maxOldGenerationSizeMb} MiB of memory`);
  });
  thread.on('exit', () => fail('ended too early'));
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await thread.terminate();
  }
}

function templateFailure(what: string): Failure {
  return new Failure('template', `${what}: correct the template`);
}
