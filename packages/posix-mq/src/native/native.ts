import { PosixMQError } from '../errors/error.ts';
import type { PollHandle } from './readiness.ts';

/** The result of mq_getattr(3). */
export interface Attributes {
  /** The most messages the queue holds. */
  readonly maxmsgs: number;
  /** The largest message, in bytes. */
  readonly msgsize: number;
  /** The messages in it now. */
  readonly curmsgs: number;
}

/** The functions of the C library: -1 is a failure, and `errno` then says which. */
export interface Native {
  open(name: string, flags: number): number;
  create(name: string, flags: number, mode: number, maxmsgs: number, msgsize: number): number;
  close(descriptor: number): number;
  unlink(name: string): number;
  send(descriptor: number, message: Uint8Array, length: number, priority: number): number;
  receive(descriptor: number, buffer: Uint8Array, size: number, priority: Uint32Array): number;
  /** Work as `send` and `receive` do, at an address: no view needs to be allocated. */
  sendAt(descriptor: number, address: number, length: number, priority: number): number;
  receiveAt(descriptor: number, address: number, size: number, priority: number): number;
  attributes(descriptor: number): Attributes | undefined;
  addressOf(memory: Uint8Array): number;
  errno(): number;
  poll(descriptor: number): PollHandle;
}

let native: Native | undefined;

/**
 * Loads the binding at the first use, not at import, so that a program that only might need
 * queues starts anywhere. @throws {PosixMQError} ENOSYS on other systems than Linux.
 */
export async function loadNative(queue: string): Promise<Native> {
  native ??= await bind(queue);
  return native;
}

async function bind(queue: string): Promise<Native> {
  if (process.platform !== 'linux') {
    throw new PosixMQError({
      code: 'ENOSYS',
      syscall: 'mq_open',
      queue,
      reason: `cannot be opened on ${process.platform}, only Linux has these POSIX message queues`,
      remedy: 'run it on Linux or in a Linux container',
    });
  }
  const { default: koffi } = await import('koffi');
  const libc = openLibrary(koffi.load);
  // Eight longs (bits/mqueue.h): flags, maxmsg, msgsize, curmsgs, and four reserved.
  const attr = koffi.array('long', 8, 'Array');
  const attrIn = koffi.pointer(koffi.struct({ fields: attr }));
  const open = libc.func('int mq_open(const char *name, int oflag)');
  const create = libc.func('mq_open', 'int', ['str', 'int', '...']);
  const getattr = libc.func('mq_getattr', 'int', ['int', koffi.out(attrIn)]);
  return {
    open,
    create: (name, flags, mode, maxmsgs, msgsize) =>
      create(name, flags, 'unsigned int', mode, attrIn, {
        fields: [0, maxmsgs, msgsize, 0, 0, 0, 0, 0],
      }),
    close: libc.func('int mq_close(int)'),
    unlink: libc.func('int mq_unlink(const char *)'),
    send: libc.func('int mq_send(int, const void *, size_t, unsigned int)'),
    receive: libc.func('long mq_receive(int, void *, size_t, void *)'),
    sendAt: libc.func('int mq_send(int, uintptr_t, size_t, unsigned int)'),
    receiveAt: libc.func('long mq_receive(int, uintptr_t, size_t, uintptr_t)'),
    attributes: (descriptor) => {
      const found: { fields?: number[] } = {};
      if (getattr(descriptor, found) !== 0 || !found.fields) return undefined;
      const [, maxmsgs = 0, msgsize = 0, curmsgs = 0] = found.fields.map(Number);
      return { maxmsgs, msgsize, curmsgs };
    },
    addressOf: (memory) => Number(koffi.address(memory)),
    errno: () => koffi.errno(),
    poll: (descriptor) => {
      const handle = koffi.node.poll(descriptor, { readable: true }, () => {});
      handle.stop();
      return handle as unknown as PollHandle;
    },
  };
}

/** Loads libc (glibc 2.34 and later), librt (older glibc), or the program itself (musl). */
function openLibrary(load: (path: string | null) => import('koffi').LibraryHandle) {
  for (const path of ['libc.so.6', 'librt.so.1', null]) {
    try {
      const library = load(path);
      library.func('int mq_close(int)');
      return library;
    } catch {
      // Try the next one.
    }
  }
  throw new Error('no C library here has mq_open');
}
