import type { Runtime } from '../runtime.ts';

/** What the full lane needs of its listener. */
export interface FullLaneHost {
  readonly runtime: Runtime;
  readonly draining: boolean;
}
