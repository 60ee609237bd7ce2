export { type Check, tryOnce } from './attempt.ts';
export { check } from './check/check.ts';
export { type CheckOptions, type Statuses, statuses } from './options.ts';
export { parseTarget, type Target } from './target.ts';
