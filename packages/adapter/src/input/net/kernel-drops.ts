import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';

/**
 * The number of datagrams that the kernel dropped since a UDP socket was opened, because its
 * receive buffer was full: the last column of /proc/net/udp (proc_net(5)). Sockets with the same
 * port and another address, such as those of other containers, do not count.
 */
export function kernelDrops(
  { address, port }: { readonly address: string; readonly port: number },
  directory = '/proc/net',
): number {
  const local = `${hex(address)}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const file = isIPv6(address) ? 'udp6' : 'udp';
  let drops = 0;
  for (const line of read(`${directory}/${file}`).split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === local) drops += Number(columns.at(-1));
  }
  return drops;
}

/** Writes an address as the kernel does: in words of 32 bits, as they are in memory. */
function hex(address: string): string {
  const bytes = Buffer.from(isIPv6(address) ? ip6Bytes(address) : address.split('.').map(Number));
  return bytes.swap32().toString('hex').toUpperCase();
}

function ip6Bytes(address: string): number[] {
  // The URL parser writes every address in one form (RFC 5952), with a dotted end in hexadecimal.
  const text = new URL(`http://[${address.split('%')[0]}]/`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part = '') => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].flatMap((group) => {
    const word = Number.parseInt(group, 16);
    return [word >> 8, word & 0xff];
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
