import { closeSync, openSync, readSync } from 'node:fs';
import type { Architecture } from './architecture.ts';

/** The numbers of elf.h: EM_X86_64 and EM_AARCH64. */
const MACHINES: Readonly<Record<Architecture, number>> = { x64: 62, arm64: 183 };

/**
 * Makes sure that a program or library is of an architecture: an image with that of another starts
 * nowhere, and nothing else of the build would notice.
 * @throws Error naming the file and what it is.
 */
export function checkMachine(path: string, architecture: Architecture): void {
  const head = Buffer.alloc(20);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.readUInt32BE(0) !== 0x7f454c46) throw new Error(`${path} is not an ELF file`);
  const machine = head.readUInt16LE(18);
  if (machine !== MACHINES[architecture]) {
    throw new Error(`${path} is of machine ${machine}, not for ${architecture}`);
  }
}
