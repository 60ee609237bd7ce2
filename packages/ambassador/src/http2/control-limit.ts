import type { Http2Session } from 'node:http2';
import { RateLimit } from '../exchange/rate-limit.ts';
import { ENHANCE_YOUR_CALM } from './error-codes.ts';

/** PING and SETTINGS frames a second on average, and at once: each is answered. */
const CONTROL_RATE = 1000;
const CONTROL_BURST = 10_000;

/** Ends a session whose peer, a client or an upstream, sends more PING and SETTINGS frames. */
export function limitControl(session: Http2Session): void {
  const limit = new RateLimit(CONTROL_RATE, CONTROL_BURST);
  const count = () => {
    if (limit.take(performance.now()) === 0 || session.destroyed) return;
    session.destroy(new Error('the peer sends too many PING or SETTINGS'), ENHANCE_YOUR_CALM);
  };
  session.on('ping', count);
  session.on('remoteSettings', count);
}
