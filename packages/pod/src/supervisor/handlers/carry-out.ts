import { errorText, LONGEST_TIMER } from '@sidekit/core/tool';
import { execute } from './exec.ts';
import type { Handler, HandlerOutcome, HandlerTarget } from './handler.ts';
import { tcpDial } from './tcp.ts';

/** Carries out a probe or a lifecycle hook; every failure is an outcome, never an exception. */
export async function carryOut(
  handler: Handler,
  target: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const limit = Math.min(timeout, LONGEST_TIMER);
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
  return new Promise((resolve) => setTimeout(resolve, Math.min(ms, LONGEST_TIMER)));
}
