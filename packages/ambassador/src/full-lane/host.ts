import type { Socket } from 'node:net';
import type { Runtime } from '../exchange/runtime.ts';

/** The listener, as the full lane sees it. */
export interface FullLaneHost {
  readonly runtime: Runtime;
  readonly draining: boolean;
  /** Takes a connection back, with bytes that the full lane cannot read. */
  toFastLane(socket: Socket, unread: Buffer): void;
}
