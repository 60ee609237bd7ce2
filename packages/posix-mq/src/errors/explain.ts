import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { descriptorLimit, QUEUE_DIRECTORY, queueBytes, queueLimits } from '../limits.ts';
import { PosixMQError } from './error.ts';

/** The arguments of a failed mq_open(3). */
export interface OpenAttempt {
  readonly name: string;
  readonly maxmsgs: number;
  readonly msgsize: number;
}

type Words = { readonly reason: string; readonly remedy?: string };

/** Explains why mq_open(3) failed, with the limits found on this machine. */
export function explainOpen(code: string, attempt: OpenAttempt): PosixMQError {
  const explain = OPEN[code];
  const words = explain?.(attempt) ?? { reason: 'cannot be opened' };
  return new PosixMQError({ code, syscall: 'mq_open', queue: attempt.name, ...words });
}

const OPEN: Readonly<Record<string, (attempt: OpenAttempt) => Words>> = {
  EACCES: ({ name }) => {
    const { owner, mode } = ownerOf(name);
    return {
      reason: `may not be opened by UID ${process.getuid?.()}${owner === undefined ? '' : `, it belongs to UID ${owner} with mode ${mode}`}`,
      remedy: 'create it with a wider mode, or run both sides with one runAsUser or group',
    };
  },
  EEXIST: () => ({
    reason: 'exists already',
    remedy: 'leave out exclusive, or unlink it first',
  }),
  EINVAL: ({ maxmsgs, msgsize }) => {
    const limits = queueLimits();
    const over: Words[] = [];
    if (limits.maxmsgs !== undefined && maxmsgs > limits.maxmsgs) {
      over.push({
        reason: `cannot hold ${maxmsgs} messages, the limit here is ${limits.maxmsgs} (fs.mqueue.msg_max)`,
        remedy: `use ${limits.maxmsgs} or fewer`,
      });
    }
    if (limits.msgsize !== undefined && msgsize > limits.msgsize) {
      over.push({
        reason: `cannot take messages of ${msgsize} B, the limit here is ${limits.msgsize} B (fs.mqueue.msgsize_max)`,
        remedy: `use ${limits.msgsize} or less`,
      });
    }
    if (over.length === 0) {
      return { reason: `cannot have ${maxmsgs} messages of ${msgsize} B, both must be at least 1` };
    }
    return {
      reason: over.map(({ reason }) => reason).join(' and '),
      remedy: over.map(({ remedy }) => remedy).join(' and '),
    };
  },
  EMFILE: ({ maxmsgs, msgsize }) => {
    const files = descriptorLimit();
    if (files !== undefined && openDescriptors() >= files) {
      return {
        reason: `cannot be opened, this process has ${files} descriptors open (RLIMIT_NOFILE)`,
        remedy: 'close some, or raise the limit',
      };
    }
    const { bytes } = queueLimits();
    return {
      reason: `of ${maxmsgs} × ${msgsize} B needs ${queueBytes(maxmsgs, msgsize)} B, more than is left of the ${bytes ?? 'few'} B that all queues of UID ${process.getuid?.()} share on this node (RLIMIT_MSGQUEUE)`,
      remedy: 'remove unused queues, make them smaller, or give the Pod its own runAsUser',
    };
  },
  ENFILE: () => ({
    reason: 'cannot be opened, the whole machine has too many files open (fs.file-max)',
    remedy: 'close some, or raise the limit',
  }),
  ENOENT: () => ({ reason: 'does not exist', remedy: 'open it with create' }),
  ENOSPC: () => ({
    reason: `cannot be created, this IPC namespace has its ${queueLimits().queues ?? ''} queues already (fs.mqueue.queues_max)`,
    remedy: `remove unused ones in ${QUEUE_DIRECTORY}`,
  }),
  ENOSYS: () => ({
    reason: 'cannot be opened, this kernel has no POSIX message queues',
    remedy: 'run it on a Linux kernel with CONFIG_POSIX_MQUEUE; gVisor has none (gvisor#136)',
  }),
  ENOMEM: () => ({ reason: 'cannot be created, there is not enough memory' }),
};

/** Reads the owner and mode of a queue, if its file is visible. */
function ownerOf(name: string): { owner?: number; mode?: string } {
  try {
    const { uid, mode } = statSync(join(QUEUE_DIRECTORY, name));
    return { owner: uid, mode: `0${(mode & 0o777).toString(8)}` };
  } catch {
    return {};
  }
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    // If even that needs one descriptor too many, all are in use.
    return Number.POSITIVE_INFINITY;
  }
}

/** The arguments of a failed mq_send(3) or mq_receive(3). */
export interface Transfer {
  readonly name: string;
  readonly msgsize: number;
  /** The size of the message, or of the buffer for one, in bytes. */
  readonly size: number;
  readonly priority: number;
}

/** Explains why a message could not be sent or received. */
export function explainTransfer(
  code: string,
  syscall: 'mq_send' | 'mq_receive',
  { name, msgsize, size, priority }: Transfer,
): PosixMQError {
  const sending = syscall === 'mq_send';
  const words: Readonly<Record<string, Words>> = {
    EMSGSIZE: sending
      ? {
          reason: `takes messages of at most ${msgsize} B, this one has ${size} B`,
          remedy: 'send less at a time, or create the queue with a larger msgsize',
        }
      : {
          reason: `has messages of up to ${msgsize} B, the buffer has ${size} B`,
          remedy: 'give a buffer of at least msgsize bytes',
        },
    EINVAL: { reason: `has no priority ${priority}`, remedy: 'use 0 to 31' },
    EBADF: {
      reason: `is not open for ${sending ? 'writing' : 'reading'}`,
      remedy: `open it with access: ${sending ? "'write'" : "'read'"} or 'both'`,
    },
  };
  const chosen = words[code] ?? { reason: `could not be ${sending ? 'sent to' : 'read'}` };
  return new PosixMQError({ code, syscall, queue: name, ...chosen });
}

/** Explains why another call failed. */
export function explainOther(code: string, syscall: string, name: string): PosixMQError {
  const words: Readonly<Record<string, Words>> = {
    ENOENT: { reason: 'does not exist any more' },
    EACCES: {
      reason: `may not be removed by UID ${process.getuid?.()}`,
      remedy: 'only its owner may; let the side that created it unlink it',
    },
  };
  const chosen = words[code] ?? { reason: 'could not be used' };
  return new PosixMQError({ code, syscall, queue: name, ...chosen });
}
