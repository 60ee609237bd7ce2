import { readFileSync } from 'node:fs';

/** The kernel's limits here; one that cannot be read is undefined. */
export interface QueueLimits {
  /** The most messages a queue may hold (fs.mqueue.msg_max). */
  readonly maxmsgs: number | undefined;
  /** The largest message a queue may take, in bytes (fs.mqueue.msgsize_max). */
  readonly msgsize: number | undefined;
  /** The most queues of one IPC namespace (fs.mqueue.queues_max). */
  readonly queues: number | undefined;
  /**
   * The bytes that all queues of this process' UID may take together (RLIMIT_MSGQUEUE), counted
   * across IPC namespaces: Pods of one node that share a UID share it.
   */
  readonly bytes: number | undefined;
}

/** The queue file system; it is often, but need not be, mounted. */
export const QUEUE_DIRECTORY = '/dev/mqueue';

/** Reads the current limits. Never throws. */
export function queueLimits(): QueueLimits {
  return {
    maxmsgs: readNumber('/proc/sys/fs/mqueue/msg_max'),
    msgsize: readNumber('/proc/sys/fs/mqueue/msgsize_max'),
    queues: readNumber('/proc/sys/fs/mqueue/queues_max'),
    bytes: readResourceLimit('Max msgqueue size'),
  };
}

/**
 * Computes the part of the byte budget that a queue takes (mq_overview(7), "Resource limit"): the
 * messages, and the kernel's 48-byte header and tree node for each.
 */
export function queueBytes(maxmsgs: number, msgsize: number): number {
  const header = 48;
  const treeNode = 48;
  return maxmsgs * (header + msgsize) + Math.min(maxmsgs, 32_768) * treeNode;
}

/** Reads the soft limit of open descriptors of this process (RLIMIT_NOFILE). */
export function descriptorLimit(): number | undefined {
  return readResourceLimit('Max open files');
}

function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function readResourceLimit(label: string): number | undefined {
  try {
    const line = readFileSync('/proc/self/limits', 'utf8')
      .split('\n')
      .find((one) => one.startsWith(label));
    const soft = line?.slice(label.length).trim().split(/\s+/, 1)[0];
    return soft === undefined || soft === 'unlimited' ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
