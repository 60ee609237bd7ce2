import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '@sidekit/test-kit';
import { bundle } from '../images/bundle.ts';
import { IMAGES } from '../images/catalog.ts';
import { nodeBinary } from '../images/node-binary.ts';
import { NODE_FLAGS } from '../images/node-flags.ts';
import { ensureDebianPackages } from '../scripts/support/debian.ts';
import { table } from '../scripts/support/output.ts';
import { writeProxy, writeUpstream } from './ambassador/nginx.ts';

/**
 * The ambassador beside nginx, http-proxy, @fastify/http-proxy and a bare undici proxy: the proxy
 * alone on core 0, load and upstream on core 1, rounds in turn, medians. `--quick`: three short
 * rounds of the main scenarios.
 */
const PEERS = fileURLToPath(new URL('./ambassador/', import.meta.url));

interface Proxy {
  readonly name: string;
  readonly ports: Readonly<Record<'http' | 'logged' | 'stream', number | undefined>>;
  readonly pid: number;
}

interface Scenario {
  readonly name: string;
  readonly port: 'http' | 'logged' | 'stream';
  readonly connections: number;
  readonly path: string;
  readonly lua?: string;
  /** Of nginx's, what the ambassador must reach. */
  readonly target?: number;
}

interface Round {
  readonly rate: number;
  readonly cpu: number;
}

/** @throws Error where a program is missing or a contestant fails requests. */
export async function run(args: readonly string[] = []): Promise<void> {
  await ensureDebianPackages(
    ['nginx', 'libnginx-mod-stream', 'wrk', 'util-linux'],
    'this benchmark',
  );
  const quick = args.includes('--quick');
  const rounds = Number(process.env.BENCH_ROUNDS ?? (quick ? 3 : 7));
  const seconds = quick ? 3 : 5;
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-ambassador-'));
  // nginx's worker is another user.
  chmodSync(directory, 0o755);
  const children: ChildProcess[] = [];
  try {
    const proxies = await start(directory, children);
    writeFileSync(
      join(directory, 'post.lua'),
      `wrk.method="POST"\nwrk.body=string.rep("x",1024)\n`,
    );
    writeFileSync(
      join(directory, 'upload.lua'),
      `wrk.method="POST"\nwrk.body=string.rep("x",1048576)\n`,
    );
    const scenarios: Scenario[] = [
      { name: 'GET 100 B', port: 'http', connections: 64, path: '/', target: 0.6 },
      {
        name: 'GET 100 B, JSON access log',
        port: 'logged',
        connections: 64,
        path: '/',
        target: 0.45,
      },
      {
        name: 'POST 1 KiB',
        port: 'http',
        connections: 64,
        path: '/sink',
        lua: 'post.lua',
        target: 0.5,
      },
      { name: 'download 1 MiB', port: 'http', connections: 16, path: '/large', target: 0.7 },
      {
        name: 'upload 1 MiB',
        port: 'http',
        connections: 16,
        path: '/sink',
        lua: 'upload.lua',
        target: 0.7,
      },
      { name: 'TCP, GET 100 B', port: 'stream', connections: 64, path: '/', target: 0.75 },
      { name: 'GET 100 B, 1 connection', port: 'http', connections: 1, path: '/' },
      { name: 'GET 100 B, 1,000 connections', port: 'http', connections: 1000, path: '/' },
    ];
    for (const scenario of quick ? scenarios.slice(0, 6) : scenarios) {
      const results = await compare(proxies, scenario, { rounds, seconds, directory });
      print(scenario, results);
    }
    await latency(proxies, quick);
    await memory(proxies, quick);
  } finally {
    for (const child of children) child.kill('SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function start(directory: string, children: ChildProcess[]): Promise<Proxy[]> {
  const pinned = (core: number, command: string, args: readonly string[]) => {
    const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: 'ignore' });
    children.push(child);
    return child.pid ?? 0;
  };
  const upstream = await freePort();
  const origin = `http://127.0.0.1:${upstream}`;
  pinned(1, 'nginx', ['-c', writeUpstream(join(directory, 'upstream'), upstream)]);
  await listening(upstream);

  const nginx = {
    http: await freePort(),
    logged: await freePort(),
    stream: await freePort(),
    upstream,
  };
  const master = pinned(0, 'nginx', ['-c', writeProxy(join(directory, 'nginx'), nginx)]);
  await listening(nginx.stream);
  const worker = Number(readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim());
  const proxies: Proxy[] = [{ name: 'nginx', ports: nginx, pid: worker }];

  const image = IMAGES.find(({ name }) => name === 'ambassador')!;
  await bundle(image, join(directory, 'bundle'), process.arch as 'x64');
  const node = [...NODE_FLAGS, join(directory, 'bundle', 'main.cjs')];
  const plain = { http: await freePort(), stream: await freePort() };
  const config = join(directory, 'ambassador.yaml');
  const listeners = [
    { name: 'web', listen: `127.0.0.1:${plain.http}`, upstream: [origin] },
    {
      name: 'tcp',
      protocol: 'tcp',
      listen: `127.0.0.1:${plain.stream}`,
      upstream: [`tcp://127.0.0.1:${upstream}`],
    },
  ];
  writeFileSync(config, JSON.stringify({ listeners }));
  const admin = `127.0.0.1:${await freePort()}`;
  const pid = pinned(0, nodeBinary(), [...node, '--config', config, '--admin', admin]);
  const logged = await freePort();
  const loggedPid = pinned(0, nodeBinary(), [
    ...node,
    ...[
      '--listen',
      `127.0.0.1:${logged}`,
      '--upstream',
      origin,
      '--admin',
      `127.0.0.1:${await freePort()}`,
    ],
    ...['--access-log', 'all', '--access-log-file', join(directory, 'access.log')],
  ]);
  await listening(plain.http);
  await listening(logged);
  proxies.push({ name: 'ambassador', ports: { ...plain, logged: undefined }, pid });
  proxies.push({
    name: 'ambassador',
    ports: { http: undefined, stream: undefined, logged },
    pid: loggedPid,
  });

  for (const [name, file] of [
    ['http-proxy', 'peer-http-proxy'],
    ['@fastify/http-proxy', 'peer-fastify'],
    ['undici', 'peer-undici'],
  ] as const) {
    const http = await freePort();
    const peer = pinned(0, nodeBinary(), [join(PEERS, `${file}.cjs`), String(http), origin]);
    await listening(http);
    proxies.push({ name, ports: { http, logged: undefined, stream: undefined }, pid: peer });
  }
  return proxies;
}

async function compare(
  proxies: readonly Proxy[],
  scenario: Scenario,
  { rounds, seconds, directory }: { rounds: number; seconds: number; directory: string },
): Promise<Map<string, Round[]>> {
  const results = new Map<string, Round[]>();
  for (let round = -1; round < rounds; round++) {
    for (const { name, ports, pid } of proxies) {
      const port = ports[scenario.port];
      if (port === undefined) continue;
      const before = ticks(pid);
      const { requests, rate } = wrk(port, scenario, seconds, directory);
      const cpu = ((ticks(pid) - before) * 10_000) / requests;
      // The first round warms up.
      if (round >= 0) results.set(name, [...(results.get(name) ?? []), { rate, cpu }]);
    }
  }
  return results;
}

function wrk(
  port: number,
  { connections, path, lua }: Scenario,
  seconds: number,
  directory: string,
) {
  const script = lua ? ['-s', join(directory, lua)] : [];
  const text = execFileSync(
    'taskset',
    [
      '-c',
      '1',
      'wrk',
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      ...script,
      `http://127.0.0.1:${port}${path}`,
    ],
    { encoding: 'utf8' },
  );
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  if (!requests || /Non-2xx/.test(text)) throw new Error(`requests failed:\n${text}`);
  return { requests, rate };
}

function print({ name, target }: Scenario, results: Map<string, Round[]>) {
  const nginx = median(results.get('nginx')!.map(({ rate }) => rate));
  const rows = [['proxy', 'requests/s', '× nginx', 'CPU µs a request']];
  for (const [proxy, rounds] of results) {
    const rate = median(rounds.map((one) => one.rate));
    rows.push([
      proxy,
      rate.toFixed(0),
      (rate / nginx).toFixed(2),
      median(rounds.map(({ cpu }) => cpu)).toFixed(1),
    ]);
  }
  console.log(`\n${name}${target === undefined ? '' : ` (wanted: × ${target})`}\n${table(rows)}`);
  const base = results.get('http-proxy');
  if (base) {
    const own = median(results.get('ambassador')!.map(({ rate }) => rate));
    console.log(
      `ambassador / http-proxy: ${(own / median(base.map(({ rate }) => rate))).toFixed(2)}`,
    );
  }
}

async function latency(proxies: readonly Proxy[], quick: boolean) {
  const rate = 2000;
  const rows = [[`at ${rate} requests/s`, 'p50 ms', 'p99 ms', 'failed']];
  for (const { name, ports } of proxies) {
    if (ports.http === undefined) continue;
    const results = Array.from({ length: quick ? 1 : 3 }, () =>
      JSON.parse(
        execFileSync(
          'taskset',
          [
            '-c',
            '1',
            nodeBinary(),
            join(PEERS, 'open-loop.ts'),
            String(ports.http),
            String(rate),
            '64',
            quick ? '4' : '10',
          ],
          { encoding: 'utf8' },
        ),
      ),
    );
    rows.push([
      name,
      median(results.map(({ p50 }) => p50)).toFixed(2),
      median(results.map(({ p99 }) => p99)).toFixed(2),
      String(Math.max(...results.map(({ failed }) => failed))),
    ]);
  }
  console.log(`\n${table(rows)}`);
}

/** Resident memory after the load at 64 connections, and what idle connections add. */
async function memory(proxies: readonly Proxy[], quick: boolean) {
  const count = quick ? 2000 : 10_000;
  const rows = [['proxy', 'RSS MB after load', `KB an idle connection (${count})`]];
  for (const { name, ports, pid } of proxies) {
    if (ports.http === undefined) continue;
    const before = rss(pid);
    const sockets = await idle(ports.http, count);
    const each = (rss(pid) - before) / count;
    for (const socket of sockets) socket.destroy();
    rows.push([name, (before / 1000).toFixed(0), each.toFixed(1)]);
  }
  console.log(`\n${table(rows)}`);
}

async function idle(port: number, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  let answered = 0;
  for (let i = 0; i < count; i++) {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.once('data', () => answered++);
    socket.write('GET / HTTP/1.1\r\nHost: bench\r\n\r\n');
    sockets.push(socket);
    if (i % 500 === 499) await until(() => answered > i - 10, { what: 'answers', timeout: 30_000 });
  }
  await until(() => answered >= count - 10, { what: 'all answers', timeout: 30_000 });
  return sockets;
}

/** User and system time of a process so far, in hundredths of a second. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function rss(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function listening(port: number): Promise<unknown> {
  return until(
    () =>
      new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => resolve(socket.destroy()));
        socket.on('error', reject);
      }),
    { what: `something listens on ${port}` },
  );
}
