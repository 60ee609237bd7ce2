import { type Context, errorText, fullJitter, type OptionMap, pause } from '@sidekit/core';
import type { LeadershipChanged } from '../lead/leadership.ts';
import type { Sequence } from '../plan/sequence.ts';
import type { Runner } from '../run/runner.ts';
import { OBSERVED } from './observed-key.ts';
import { sequencesWith } from './triggers.ts';

/**
 * Triggers the sequences of a change of leadership. They go to the end of those that wait, so that
 * the last change is also the last that runs. A change is recorded
 * again until that works, and not while the Pod stops: only the stop sequences run then, and a
 * restart of the container finds the term that has not been recorded as lost.
 */
export function leadershipTrigger(
  plan: readonly Sequence[],
  runner: Pick<Runner, 'trigger'>,
  { log, stopping }: Pick<Context<OptionMap>, 'log' | 'stopping'>,
): LeadershipChanged {
  return async (term) => {
    const change = term ? 'gained' : 'lost';
    const names = sequencesWith(plan, (one) => one.leadership === change);
    for (let failures = 0; !stopping.aborted; failures++) {
      try {
        await runner.trigger(names, { observed: { [OBSERVED]: change }, last: true });
        if (names.length > 0) log.info('triggered', { event: 'triggered', sequences: names });
        return;
      } catch (error) {
        // The end of a term is recorded by the change that follows.
        if (term && !term.holds()) return;
        const fields = { event: 'trigger_late', error: errorText(error) };
        log.error('a trigger is recorded later', fields);
        await pause(fullJitter(failures, { base: 500, cap: 10_000 }), term?.over ?? stopping);
      }
    }
  };
}
