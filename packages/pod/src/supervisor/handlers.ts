import { connect } from 'node:net';
import { errorText } from '@sidekit/core/tool';
import type { Engine } from '../engine/engine.ts';
import { portNumber } from '../manifest/references/port-number.ts';
import type { ContainerSpec, Hook, HttpGet, Probe, TcpSocketAction } from '../manifest/types.ts';

export interface HandlerOutcome {
  readonly ok: boolean;
  readonly message?: string;
}

export interface HandlerTarget {
  readonly engine: Engine;
  readonly container: ContainerSpec;
  readonly id: string;
  /** Returns the address that leads from this machine to a port of the Pod. */
  readonly reach: (port: number) => { readonly host: string; readonly port: number };
}

/** The longest time that Node's timers take, in milliseconds. */
const FOREVER = 2 ** 31 - 1;
const MAX_REDIRECTS = 10;

/** Carries out a probe or a lifecycle hook; every failure is an outcome, never an exception. */
export async function carryOut(
  handler: Partial<Pick<Probe & Hook, 'exec' | 'httpGet' | 'tcpSocket' | 'sleep'>>,
  target: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const limit = Math.min(timeout, FOREVER);
  try {
    if (handler.exec) return await execute(handler.exec.command, target, limit);
    if (handler.httpGet) return await get(handler.httpGet, target, limit);
    if (handler.tcpSocket) return await dial(handler.tcpSocket, target, limit);
    await sleep((handler.sleep?.seconds ?? 0) * 1000);
    return { ok: true };
  } catch (error) {
    return { ok: false, message: errorText(error) };
  }
}

async function execute(
  argv: readonly string[],
  { engine, id }: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const { code, stdout, stderr } = await engine.exec(id, argv, timeout);
  if (code === 0) return { ok: true };
  if (code === 124) {
    return { ok: false, message: `command timed out: ${argv.join(' ')} after ${timeout / 1000}s` };
  }
  const output = (stdout + stderr).trim();
  const shown = output.length > 200 ? `${output.slice(0, 197)}...` : output;
  return { ok: false, message: `command exited with ${code}${shown ? `: ${shown}` : ''}` };
}

async function get(
  action: HttpGet,
  target: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const begin = Date.now();
  const number = portNumber([target.container], action.port) ?? 0;
  const place = action.host ? { host: action.host, port: number } : target.reach(number);
  const path = action.path.startsWith('/') ? action.path : `/${action.path}`;
  const url = new URL(`${action.scheme.toLowerCase()}://${place.host}:${place.port}${path}`);
  // Loaded at the first such probe: a Pod without one starts without them.
  const [http, https] = await Promise.all([import('node:http'), import('node:https')]);
  const start = (to: URL) => (to.protocol === 'https:' ? https.get : http.get);
  return request(url, action, begin + timeout, MAX_REDIRECTS, start);
}

type Get = typeof import('node:http').get;

/** Any status from 200 to 399 is success; redirects within the host are followed, as in the kubelet. */
function request(
  url: URL,
  action: HttpGet,
  deadline: number,
  redirects: number,
  start: (to: URL) => Get,
): Promise<HandlerOutcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => {
        outgoing.destroy();
        resolve({ ok: false, message: `no answer from ${url} in time` });
      },
      Math.max(1, deadline - Date.now()),
    );
    const done = (outcome: HandlerOutcome | Promise<HandlerOutcome>) => {
      clearTimeout(timer);
      outgoing.destroy();
      resolve(outcome);
    };
    const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.33', accept: '*/*' };
    for (const { name, value } of action.httpHeaders) headers[name.toLowerCase()] = value;
    const options = { headers, agent: false, rejectUnauthorized: false } as const;
    const outgoing = start(url)(url, options, ({ statusCode = 0, headers: { location } }) => {
      const next = location && URL.canParse(location, url) ? new URL(location, url) : undefined;
      if (statusCode >= 300 && statusCode < 400 && next?.host === url.host && redirects > 0) {
        done(request(next, action, deadline, redirects - 1, start));
      } else if (statusCode >= 200 && statusCode < 400) done({ ok: true });
      else done({ ok: false, message: `HTTP probe failed with statuscode: ${statusCode}` });
    });
    outgoing.on('error', (error) => done({ ok: false, message: errorText(error) }));
  });
}

function dial(
  { port, host }: TcpSocketAction,
  { container, reach }: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const number = portNumber([container], port) ?? 0;
  return new Promise((resolve) => {
    const socket = connect({ ...(host ? { host, port: number } : reach(number)), timeout });
    const done = (outcome: HandlerOutcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => done({ ok: true }));
    socket.once('timeout', () =>
      done({ ok: false, message: `no connection within ${timeout} ms` }),
    );
    socket.once('error', (error) => done({ ok: false, message: errorText(error) }));
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(ms, FOREVER)));
}
