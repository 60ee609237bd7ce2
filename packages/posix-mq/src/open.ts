import { constants, fchmodSync } from 'node:fs';
import { errno, errnoName, PosixMQError } from './error.ts';
import { explainOpen } from './explain.ts';
import { checkQueueName } from './name.ts';
import type { Native } from './native.ts';

export interface OpenOptions {
  /** One slash, then 1–255 bytes without another: `/sidekit`. */
  readonly name: string;
  /** Makes the queue where it does not exist; false by default. */
  readonly create?: boolean;
  /** With `create`: fails with EEXIST where the queue exists; false by default. */
  readonly exclusive?: boolean;
  /**
   * Permissions of a queue that is made, as a number or octal text; 0600 by default. They hold
   * whatever the umask.
   */
  readonly mode?: number | string;
  /** Of a queue that is made: the most messages it holds; 10, the kernel's default limit. */
  readonly maxmsgs?: number;
  /** Of a queue that is made: the largest message, in bytes; 1024. The kernel allows 8192. */
  readonly msgsize?: number;
  /** What the queue is opened for; both by default. Each needs its permission. */
  readonly access?: 'read' | 'write' | 'both';
}

const ACCESS = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY,
  both: constants.O_RDWR,
} as const;

/**
 * Opens, or makes, the queue. Making comes first and exclusively, so that it is known whose the
 * queue is: only its maker sets its mode. @throws {PosixMQError}
 */
export function openDescriptor(
  native: Native,
  options: OpenOptions,
): { readonly descriptor: number; readonly created: boolean } {
  const { name, create = false, exclusive = false, maxmsgs = 10, msgsize = 1024 } = options;
  const broken = checkQueueName(name);
  if (broken) throw invalid(name, broken.rule, broken.remedy);
  const mode = octal(name, options.mode ?? 0o600);
  const flags = ACCESS[options.access ?? 'both'] | constants.O_NONBLOCK;
  // Between the two tries another process may make or remove the queue: then once more.
  for (let attempt = 0; ; attempt++) {
    if (create) {
      const both = flags | constants.O_CREAT | constants.O_EXCL;
      const descriptor = native.create(name, both, mode, maxmsgs, msgsize);
      if (descriptor !== -1) {
        // The umask took bits from the mode; an mqd_t is a file descriptor on Linux.
        fchmodSync(descriptor, mode);
        return { descriptor, created: true };
      }
      if (exclusive || native.errno() !== errno.EEXIST) break;
    }
    const descriptor = native.open(name, flags);
    if (descriptor !== -1) return { descriptor, created: false };
    if (!create || native.errno() !== errno.ENOENT || attempt === 100) break;
  }
  throw explainOpen(errnoName(native.errno()), { name, maxmsgs, msgsize });
}

function octal(name: string, mode: number | string): number {
  const value =
    typeof mode === 'number' ? mode : /^[0-7]{1,4}$/.test(mode) ? Number.parseInt(mode, 8) : -1;
  if (Number.isInteger(value) && value >= 0 && value <= 0o777) return value;
  throw invalid(name, `cannot have the mode ${mode}`, 'write it in octal, such as 0600');
}

function invalid(queue: string, reason: string, remedy: string): PosixMQError {
  return new PosixMQError({ code: 'EINVAL', syscall: 'mq_open', queue, reason, remedy });
}
