import { readFileSync } from 'node:fs';

/**
 * The number of datagrams that the kernel dropped since the sockets of a local UDP port were
 * opened, because their receive buffer was full: the last column of /proc/net/udp (proc_net(5)).
 */
export function kernelDrops(port: number, directory = '/proc/net'): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops = 0;
  for (const file of ['udp', 'udp6']) {
    for (const line of read(`${directory}/${file}`).split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(suffix)) drops += Number(columns.at(-1));
    }
  }
  return drops;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
