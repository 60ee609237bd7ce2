import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, freePort } from '@sidekit/test-kit';
import { hostArchitecture } from '../../images/architecture.ts';
import { bundle } from '../../images/bundle.ts';
import { IMAGES } from '../../images/catalog.ts';
import { nodeBinary } from '../../images/node-binary.ts';
import { NODE_FLAGS } from '../../images/node-flags.ts';
import { checkCalls } from './grpc-check.ts';
import { writeProxy, writeUpstream } from './nginx.ts';
import { FLOOR, type PortName } from './scenarios.ts';

export interface Contestant {
  readonly name: string;
  /** The ports on which it serves. */
  readonly ports: Readonly<Partial<Record<PortName, number>>>;
  /** The process that does the work, for its CPU time and memory. */
  readonly pid: number;
}

/** The environment that the Dockerfile sets. */
export const IMAGE_ENV: readonly string[] = ['NODE_ENV=production', 'MALLOC_ARENA_MAX=2'];
const HERE = fileURLToPath(new URL('./', import.meta.url));

/**
 * Starts the upstream on core 1 and every proxy on core 0; the processes go to `children`.
 * @param extra more arguments for the ambassador's Node, such as `--cpu-prof`.
 */
export async function start(
  directory: string,
  children: ChildProcess[],
  extra: readonly string[],
): Promise<Contestant[]> {
  const pinned = (core: number, command: string, args: readonly string[]) => {
    const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: 'ignore' });
    children.push(child);
    if (child.pid === undefined) throw new Error(`${command} cannot be started`);
    return child.pid;
  };
  const upstream = await freePort();
  const origin = `http://127.0.0.1:${upstream}`;
  pinned(1, 'nginx', ['-c', writeUpstream(join(directory, 'upstream'), upstream)]);
  await listening(upstream);
  const grpcUpstream = await freePort();
  pinned(1, nodeBinary(), [join(HERE, 'grpc-upstream.ts'), String(grpcUpstream)]);
  await listening(grpcUpstream);

  const nginx = {
    http: await freePort(),
    logged: await freePort(),
    stream: await freePort(),
    h2: await freePort(),
    grpc: await freePort(),
  };
  const conf = writeProxy(join(directory, 'nginx'), { ...nginx, upstream, grpcUpstream });
  const master = pinned(0, 'nginx', ['-c', conf]);
  await listening(nginx.stream);
  // It listens before it has a worker.
  const worker = await eventually(
    () => {
      const children = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8');
      return Number(/^\d+/.exec(children)![0]);
    },
    { what: 'nginx has a worker' },
  );
  const contestants: Contestant[] = [{ name: 'nginx', ports: nginx, pid: worker }];

  const image = IMAGES.find(({ name }) => name === 'ambassador')!;
  await bundle(image, join(directory, 'bundle'), hostArchitecture());
  const ambassador = async (ports: Contestant['ports'], options: readonly string[]) => {
    const pid = pinned(0, 'env', [
      ...IMAGE_ENV,
      nodeBinary(),
      ...NODE_FLAGS,
      ...extra,
      join(directory, 'bundle', 'main.cjs'),
      ...options,
      ...['--admin', `127.0.0.1:${await freePort()}`],
    ]);
    for (const port of Object.values(ports)) await listening(port);
    contestants.push({ name: 'ambassador', ports, pid });
  };
  const http = await freePort();
  // One port serves both versions of HTTP.
  const plain = { http, h2: http, stream: await freePort(), grpc: await freePort() };
  const file = join(directory, 'ambassador.yaml');
  writeFileSync(file, JSON.stringify({ listeners: listeners(plain, upstream, grpcUpstream) }));
  await ambassador(plain, ['--config', file]);
  for (const port of [nginx.grpc, plain.grpc]) await checkCalls(port);
  const logged = await freePort();
  await ambassador({ logged }, [
    ...['--listen', `127.0.0.1:${logged}`, '--upstream', origin],
    ...['--access-log', 'all', '--access-log-file', join(directory, 'access.log')],
  ]);

  for (const [name, program] of [
    ['http-proxy', 'peer-http-proxy.cjs'],
    ['@fastify/http-proxy', 'peer-fastify.cjs'],
    ['undici', 'peer-undici.cjs'],
  ] as const) {
    const http = await freePort();
    const pid = pinned(0, nodeBinary(), [join(HERE, program), String(http), origin]);
    await listening(http);
    contestants.push({ name, ports: { http }, pid });
  }
  const h2 = await freePort();
  const pid = pinned(0, nodeBinary(), [...NODE_FLAGS, join(HERE, 'floor-http2.cjs'), String(h2)]);
  await listening(h2);
  contestants.push({ name: FLOOR, ports: { h2 }, pid });
  return contestants;
}

function listeners(
  ports: Readonly<Record<'http' | 'stream' | 'grpc', number>>,
  upstream: number,
  grpcUpstream: number,
) {
  return [
    {
      name: 'grpc',
      listen: `127.0.0.1:${ports.grpc}`,
      upstream: [`h2c://127.0.0.1:${grpcUpstream}`],
    },
    {
      name: 'web',
      listen: `127.0.0.1:${ports.http}`,
      upstream: [`http://127.0.0.1:${upstream}`],
    },
    {
      name: 'tcp',
      protocol: 'tcp',
      listen: `127.0.0.1:${ports.stream}`,
      upstream: [`tcp://127.0.0.1:${upstream}`],
    },
  ];
}

/** Waits until a port accepts connections. */
export function listening(port: number): Promise<unknown> {
  return eventually(
    () =>
      new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => resolve(socket.destroy()));
        socket.on('error', reject);
      }),
    { what: `something listens on ${port}` },
  );
}
