/**
 * Calls that block a thread. libuv's pool has four threads by default, which files and names
 * need too: at most two of them are blocked at a time, for at most a slice each. A slice also
 * bounds how late a waiter notices that its waker was killed between a change and the wake-up,
 * and how long a process that exits waits for its threads.
 */
const MAX_BLOCKED = 2;

/** In milliseconds: of one call, and of one while others queue for its thread. */
export const SLICE = 200;
const SLICE_WHEN_SHARED = 10;

let blocked = 0;
const queue: (() => void)[] = [];

/** Starts `call` with the length of its slice, in milliseconds, as soon as a thread is free. */
export async function inSlot<T>(
  limit: number,
  call: (milliseconds: number) => Promise<T>,
): Promise<T> {
  if (blocked < MAX_BLOCKED) blocked++;
  else await new Promise<void>((resolve) => queue.push(resolve));
  try {
    const slice = queue.length > 0 ? SLICE_WHEN_SHARED : SLICE;
    return await call(Math.max(1, Math.min(slice, Math.ceil(limit))));
  } finally {
    const next = queue.shift();
    if (next) next();
    else blocked--;
  }
}
