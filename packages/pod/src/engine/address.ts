import { readFileSync } from 'node:fs';

/**
 * Returns the IPv4 address of a process's network from the kernel's own table: a query to the
 * engine takes a tenth of a Pod's whole start. `pidFile` holds the process' number.
 * @returns undefined if it is not certain: no such process, several addresses, or none.
 */
export function addressOf(pidFile: string): string | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    return onlyAddress(readFileSync(`/proc/${pid}/net/fib_trie`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The one address of `fib_trie` that is neither loopback nor a network's (`/32 host LOCAL`). */
export function onlyAddress(table: string): string | undefined {
  const all = table.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s*\/32 host LOCAL/g);
  const found = new Set([...all].map(([, address = '']) => address));
  const own = [...found].filter((address) => !address.startsWith('127.'));
  return own.length === 1 ? own[0] : undefined;
}
