import { errorText } from '@sidekit/core/tool';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerSpec, ExecAction, HttpGet, TcpSocketAction } from '../../manifest/types.ts';
import { execute } from './exec.ts';
import { tcpDial } from './tcp.ts';

/** The action of a probe or a lifecycle hook: one of these. */
export interface Handler {
  readonly exec?: ExecAction | undefined;
  readonly httpGet?: HttpGet | undefined;
  readonly tcpSocket?: TcpSocketAction | undefined;
  readonly grpc?: GrpcAction | undefined;
  readonly sleep?: { readonly seconds: number } | undefined;
}

export interface GrpcAction {
  readonly port: number;
  readonly service: string;
}

/** The result of an action. An error is the engine's or this machine's: it is no verdict on the container. */
export interface HandlerOutcome {
  readonly result: 'success' | 'failure' | 'error';
  readonly message?: string;
}

export interface HandlerTarget {
  readonly engine: Engine;
  readonly container: ContainerSpec;
  readonly id: string;
  /** Returns the address that leads from this machine to a port of the Pod. */
  readonly reach: (port: number) => Address;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The longest time that Node's timers take, in milliseconds. */
const FOREVER = 2 ** 31 - 1;

/** Carries out a probe or a lifecycle hook; every failure is an outcome, never an exception. */
export async function carryOut(
  handler: Handler,
  target: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const limit = Math.min(timeout, FOREVER);
  try {
    if (handler.exec) return await execute(handler.exec.command, target, limit);
    if (handler.tcpSocket) return await tcpDial(handler.tcpSocket, target, limit);
    // Loaded at the first such probe: a Pod without one starts without them.
    if (handler.httpGet) {
      const { httpGet } = await import('./http.ts');
      return await httpGet(handler.httpGet, target, limit);
    }
    if (handler.grpc) {
      const { grpcCheck } = await import('./grpc.ts');
      return await grpcCheck(handler.grpc, target.reach(handler.grpc.port), limit);
    }
    await sleep((handler.sleep?.seconds ?? 0) * 1000);
    return { result: 'success' };
  } catch (error) {
    return { result: 'error', message: errorText(error) };
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(ms, FOREVER)));
}
