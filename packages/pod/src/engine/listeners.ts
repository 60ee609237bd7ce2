import { closeSync, openSync, readSync } from 'node:fs';

/** The most that is read of a table, in bytes; sockets that listen come first in it. */
const LIMIT = 1024 * 1024;
/** The state TCP_LISTEN in proc(5), /proc/net/tcp. */
const LISTEN = '0A';
/** Loopback addresses as the tables have them on machines of either byte order: 127.0.0.0/8, also mapped, and ::1. */
const LOOPBACK =
  /^(?:(?:0{16}(?:FFFF0000|0000FFFF))?(?:[\dA-F]{6}7F|7F[\dA-F]{6})|0{24}(?:01000000|00000001))$/;

/**
 * Whether a program in the network of a process listens on a TCP port of an address that other Pods reach;
 * undefined if this machine does not show that network. What publishes a port accepts connections
 * also if nothing is behind it.
 */
export function listensIn(pid: number, port: number): boolean | undefined {
  const tables = ['tcp', 'tcp6'].map((name) => read(`/proc/${pid}/net/${name}`));
  if (pid === 0 || tables[0] === undefined) return undefined;
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return tables.some((table = '') =>
    table.split('\n').some((line) => {
      const [, local = '', , state] = line.trim().split(/ +/);
      const [address = '', number] = local.split(':');
      return state === LISTEN && number === wanted && !LOOPBACK.test(address);
    }),
  );
}

function read(path: string): string | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(LIMIT);
      let total = 0;
      for (let length = 1; length > 0 && total < LIMIT; total += length) {
        length = readSync(file, buffer, total, LIMIT - total, null);
      }
      return buffer.toString('latin1', 0, total);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
