import net from 'node:net';
import { eventually } from '@sidekit/test-kit';
import { table } from '../../scripts/support/output.ts';
import type { Contestant } from './contestants.ts';
import { compare, resident } from './measure.ts';
import type { Scenario } from './scenarios.ts';

/** Connections that are opened, used once and left idle. */
const COUNT = 5000;
const LOAD: Scenario = { name: '', port: 'http', connections: 64, path: '/', peers: [] };

/** Prints the resident memory after a load at 64 connections, and what idle connections add. */
export async function memory(contestants: readonly Contestant[], directory: string): Promise<void> {
  const rows = [['proxy', 'RSS MB after load', `KB an idle connection (${COUNT})`]];
  for (const contestant of contestants) {
    const { name, ports, pid } = contestant;
    if (ports.http === undefined) continue;
    compare([contestant], { ...LOAD, peers: [name] }, { rounds: 1, seconds: 2, directory });
    const before = resident(pid);
    const sockets = await idle(ports.http);
    const each = (resident(pid) - before) / COUNT;
    for (const socket of sockets) socket.destroy();
    rows.push([name, ((before * 1024) / 1e6).toFixed(0), each.toFixed(1)]);
  }
  console.log(`\nMemory\n${table(rows)}`);
}

async function idle(port: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  let answered = 0;
  for (let i = 0; i < COUNT; i++) {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.once('data', () => answered++);
    socket.write('GET / HTTP/1.1\r\nHost: bench\r\n\r\n');
    sockets.push(socket);
    if (i % 50 === 49)
      await eventually(() => answered === i + 1, { what: 'answers', timeout: 30_000 });
  }
  return sockets;
}
