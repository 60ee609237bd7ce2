import { existsSync, statSync } from 'node:fs';
import { PosixMQ, unlinkQueue } from '@sidekit/posix-mq';
import { unlinkSegment } from '@sidekit/shared-memory';
import { type ProcessOptions, startProgram, type TestProcess } from '@sidekit/test-kit';

const MAIN = new URL('../main.ts', import.meta.url);
let serial = 0;

/** Makes a queue name that no other test has; both its queues are removed at the end. */
export function testQueue(): { readonly name: string } & AsyncDisposable {
  const name = `/sidekit-mq-${process.pid}-${serial++}`;
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await unlinkQueue(name);
      await unlinkQueue(`${name}.ack`);
    },
  };
}

/** Makes the name of a ring that no other test has; its segments are removed at the end. */
export function testRing() {
  const segment = `/sidekit-ring-${process.pid}-${serial++}`;
  return {
    name: `ring:${segment}`,
    segment,
    unlink: () => unlinkSegment(segment),
    [Symbol.asyncDispose]: async () => {
      unlinkSegment(segment);
      unlinkSegment(`${segment}.ack`);
    },
  };
}

/** Starts `mq producer` or `mq consumer` with a free admin port. */
export function mq(
  command: 'producer' | 'consumer',
  args: readonly string[],
  options?: ProcessOptions,
): TestProcess {
  return startProgram(MAIN, [command, '--admin', '127.0.0.1:0', ...args], options);
}

/** Counts the messages in a queue; undefined if there is none of that name. */
export async function depth(name: string): Promise<number | undefined> {
  if (!existsSync(`/dev/mqueue${name}`)) return undefined;
  using queue = await PosixMQ.open({ name, access: 'read' });
  return queue.curmsgs;
}

export function inode(name: string): number {
  return statSync(`/dev/mqueue${name}`).ino;
}

/** Reads the records from `Consumed: x` lines. */
export function consumed(...outputs: readonly string[]): string[] {
  return outputs
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^Consumed: /, ''));
}

export function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `record ${from + i}`);
}
