import { connect } from 'node:net';
import { errorText } from '@sidekit/core/tool';
import { knownPort } from '../../manifest/references/port-number.ts';
import type { TcpSocketAction } from '../../manifest/types.ts';
import type { HandlerOutcome, HandlerTarget } from './handler.ts';

/**
 * Opens a TCP connection: success as soon as it is there. A published port accepts it whatever is behind
 * it, so there the Pod's own sockets are checked, if this machine shows them.
 */
export function tcpDial(
  { port, host }: TcpSocketAction,
  { container, reach, listens }: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const number = knownPort([container], port);
  if (!host && listens(number) === false) {
    return Promise.resolve({ result: 'failure', message: `nothing listens on port ${number}` });
  }
  return new Promise((resolve) => {
    const socket = connect(host ? { host, port: number } : reach(number));
    const timer = setTimeout(() => fail(`no connection within ${timeout / 1000}s`), timeout);
    const done = (outcome: HandlerOutcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (message: string) => done({ result: 'failure', message });
    socket.once('connect', () => done({ result: 'success' }));
    socket.once('error', (error) => fail(errorText(error)));
  });
}
