/**
 * The image of the process that holds a Pod's namespaces, made on the spot: no registry, no
 * compiler. The program is one small ELF file: it ignores SIGCHLD, so that the kernel reaps what
 * ends in a shared PID namespace, and waits for ever.
 */

import { fileTar } from './tar.ts';

export const PAUSE_IMAGE = 'sidekit/pod-pause:1';

/** rt_sigaction(SIGCHLD, SIG_IGN); for (;;) pause(). arm64 has no pause(2): ppoll(NULL, 0, …). */
const PROGRAMS: Readonly<Record<string, { readonly machine: number; readonly code: string }>> = {
  x64: {
    machine: 62,
    code: 'b80d000000bf11000000488d351700000031d241ba080000000f05b8220000000f05ebf70f1f4000',
  },
  arm64: {
    machine: 183,
    code: '200280d2a1010010020080d2030180d2c81080d2010000d4000080d2010080d2020080d2030080d2280980d2010000d4faffff171f2003d5',
  },
};

/** struct kernel_sigaction: handler SIG_IGN, no flags, no restorer, empty mask. */
const IGNORE = `0100000000000000${'00'.repeat(24)}`;

/** A tar with the program as /pause, for `docker import` or `podman import`. */
export function pauseTar(architecture: string = process.arch): Buffer {
  const program = PROGRAMS[architecture];
  if (!program) throw new Error(`no pause program for ${architecture}`);
  const elf = elfFile(program.machine, Buffer.from(program.code + IGNORE, 'hex'));
  return fileTar('pause', 0o755, elf);
}

/** An ELF64 executable of one loadable segment (System V ABI, chapter 4 and 5). */
function elfFile(machine: number, code: Buffer): Buffer {
  const base = 0x400000n;
  const headers = 64 + 56;
  const size = BigInt(headers + code.length);
  const file = Buffer.alloc(headers + code.length);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(base + BigInt(headers), 24); // entry
  file.writeBigUInt64LE(64n, 32); // program headers follow
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // read, execute
  file.writeBigUInt64LE(base, 80);
  file.writeBigUInt64LE(base, 88);
  file.writeBigUInt64LE(size, 96);
  file.writeBigUInt64LE(size, 104);
  file.writeBigUInt64LE(0x1000n, 112);
  code.copy(file, headers);
  return file;
}
