import { connect } from 'node:net';
import { errorText, pause, send } from '@sidekit/core';
import type { Engine } from '../engine/engine.ts';
import { portNumber } from '../manifest/references.ts';
import type { ContainerSpec, Handler, HttpGetAction } from '../manifest/types.ts';

export interface HandlerOutcome {
  readonly ok: boolean;
  readonly message?: string;
}

export interface HandlerTarget {
  readonly engine: Engine;
  readonly container: ContainerSpec;
  readonly id: string;
  readonly podIP: string;
}

/** Carries out a probe or a lifecycle hook; every failure is an outcome, never an exception. */
export async function carryOut(
  handler: Handler,
  target: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  try {
    if (handler.exec) return await execute(handler.exec.command, target, timeout);
    if (handler.httpGet) return await get(handler.httpGet, target, timeout);
    if (handler.tcpSocket) return await dial(handler.tcpSocket, target, timeout);
    await pause((handler.sleep?.seconds ?? 0) * 1000);
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
  if (code === 124) return { ok: false, message: `command timed out after ${timeout} ms` };
  const output = (stderr + stdout).trim().split('\n').at(-1) ?? '';
  return { ok: false, message: `command exited with ${code}${output ? `: ${output}` : ''}` };
}

/** Any status from 200 to 399 is success, as in the kubelet. */
async function get(
  action: HttpGetAction,
  { container, podIP }: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const { path = '/', port, host = podIP, scheme = 'HTTP', httpHeaders = [] } = action;
  const number = portNumber([container], port);
  const url = `${scheme.toLowerCase()}://${host}:${number}${path.startsWith('/') ? path : `/${path}`}`;
  const { status } = await send(url, {
    timeout: Math.min(timeout, 300_000),
    headers: {
      'user-agent': 'kube-probe/1.36',
      ...Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])),
    },
  });
  return status >= 200 && status < 400
    ? { ok: true }
    : { ok: false, message: `HTTP status ${status}` };
}

function dial(
  { port, host }: NonNullable<Handler['tcpSocket']>,
  { container, podIP }: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  return new Promise((resolve) => {
    const socket = connect({
      host: host ?? podIP,
      port: portNumber([container], port) ?? 0,
      timeout,
    });
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
