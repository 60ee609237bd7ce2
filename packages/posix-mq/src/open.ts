import { constants, fchmodSync } from 'node:fs';
import { errno, errnoName, PosixMQError } from './errors/error.ts';
import { explainOpen } from './errors/explain.ts';
import { checkQueueName } from './name.ts';
import type { Native } from './native/native.ts';

export interface OpenOptions {
  /** One slash, then 1–255 bytes without another: `/sidekit`. */
  readonly name: string;
  /** Creates the queue if it does not exist; false by default. */
  readonly create?: boolean;
  /** With `create`: fails with EEXIST if the queue exists; false by default. */
  readonly exclusive?: boolean;
  /**
   * Permissions of a created queue, as a number or octal text, whatever the umask; 0600 by
   * default.
   */
  readonly mode?: number | string;
  /** The most messages a created queue holds; 10 by default, the kernel's default limit. */
  readonly maxmsgs?: number;
  /** The largest message of a created queue, in bytes; 1024 by default, 8192 is the kernel's. */
  readonly msgsize?: number;
  /** The direction that the queue is opened for; both by default. Each needs its permission. */
  readonly access?: 'read' | 'write' | 'both';
}

const ACCESS = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY,
  both: constants.O_RDWR,
} as const;

/**
 * Opens or creates the queue. Creation comes first and is exclusive, so that only the creator sets
 * the mode. @throws {PosixMQError}
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
  // Between the two calls another process may create or remove the queue: then try again.
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
