/**
 * Calls that block a thread. libuv's pool has four threads by default, which files and names
 * need too: at most two of them are blocked at a time, for at most a slice each. A slice also
 * bounds how late a waiter notices that its waker was killed between a change and the wake-up,
 * and how long a process that exits waits for its threads.
 */
const MAX_BLOCKED = 2;

/** In milliseconds: of one call, and of one while others queue for its thread. */
const SLICE = 1000;
const SLICE_WHEN_SHARED = 50;

let blocked = 0;
const queue: (() => void)[] = [];
const interrupts = new Set<() => void>();

/**
 * Starts `call` with the length of its slice, in milliseconds, as soon as a thread is free.
 * @param interrupt ends the call early, for another one that queues.
 */
export async function inSlot<T>(
  limit: number,
  call: (milliseconds: number) => Promise<T>,
  interrupt: () => void = () => {},
): Promise<T> {
  if (blocked < MAX_BLOCKED) blocked++;
  else await turn();
  const slice = queue.length > 0 ? SLICE_WHEN_SHARED : SLICE;
  interrupts.add(interrupt);
  try {
    return await call(Math.max(1, Math.min(slice, Math.ceil(limit))));
  } finally {
    interrupts.delete(interrupt);
    const next = queue.shift();
    if (next) next();
    else blocked--;
  }
}

/** Resolves when a thread is handed over; the calls that have a whole slice end early. */
function turn(): Promise<void> {
  const first = queue.length === 0;
  return new Promise((resolve) => {
    queue.push(resolve);
    if (first) for (const interrupt of [...interrupts]) interrupt();
  });
}
