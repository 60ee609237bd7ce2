import type { Context } from '@sidekit/core';
import type { Metrics } from '../metrics.ts';
import type { table } from '../options.ts';
import type { Observer } from './observer.ts';

/** Reports what the runner does: one log record a step, metrics, health and the state file. */
export function observer(
  { log, health }: Pick<Context<typeof table.options>, 'log' | 'health'>,
  metrics: () => Metrics,
  changed: () => void,
): Observer {
  const journal = health.condition('journal', 'startup', 'ready');
  return {
    changed,
    journal: (failure) => {
      if (failure === undefined) journal.pass();
      else journal.fail(`the journal cannot be written, so no step begins: ${failure}`);
    },
    sequenceStarted: (sequence, resumed) => {
      metrics().running.with({ sequence }).set(1);
      log.info(resumed ? 'resuming a sequence that a crash interrupted' : 'sequence started', {
        event: resumed ? 'sequence_resumed' : 'sequence_started',
        sequence,
      });
    },
    stepEnded: ({ sequence, part, name: step }, failure, milliseconds) => {
      const result = failure === undefined ? 'succeeded' : 'failed';
      metrics().steps.with({ sequence, part, step, result }).inc();
      metrics()
        .duration.with({ sequence, part, step })
        .observe(milliseconds / 1000);
      const fields = { sequence, part, step, milliseconds: Math.round(milliseconds) };
      if (failure === undefined) log.info('step succeeded', { event: 'step_succeeded', ...fields });
      else log.warn('step failed', { event: 'step_failed', ...fields, error: failure });
    },
    sequenceSkipped: (sequence) =>
      log.info('sequence skipped: this replica does not lead', {
        event: 'sequence_skipped',
        sequence,
      }),
    sequenceEnded: (sequence, { result, failure }) => {
      metrics().running.with({ sequence }).set(0);
      metrics().sequences.with({ sequence, result }).inc();
      const warning = health.warning(`sequence ${sequence}`);
      if (failure === undefined) {
        warning.clear();
        log.info('sequence succeeded', { event: 'sequence_succeeded', sequence });
      } else {
        warning.set(failure);
        log.error('sequence failed', { event: 'sequence_failed', sequence, error: failure });
      }
    },
  };
}
