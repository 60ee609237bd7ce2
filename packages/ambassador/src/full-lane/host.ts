import type { Runtime } from '../exchange/runtime.ts';

/** The listener, as the full lane sees it. */
export interface FullLaneHost {
  readonly runtime: Runtime;
  readonly draining: boolean;
}
