import { dirname } from 'node:path';
import {
  type Context,
  errorText,
  type Log,
  PollingWatch,
  pause,
  type Warning,
} from '@sidekit/core';
import { check, tryOnce } from '@sidekit/targets';
import type { table } from '../options.ts';
import type { Sequence, Trigger } from '../plan/sequence.ts';
import type { Runner } from '../run/runner.ts';
import { contentDigest } from './content.ts';
import { observedKey } from './observed-key.ts';

type Condition = NonNullable<Trigger['condition']>;

/** The context in which triggers run. */
export interface TriggerParts {
  readonly runner: Runner;
  readonly context: Context<typeof table.options>;
  readonly log: Log;
}

/** Returns the names of the sequences with such a trigger, in the order of the plan. */
export function sequencesWith(
  plan: readonly Sequence[],
  matches: (trigger: Trigger) => boolean,
): string[] {
  return plan.filter((one) => one.when.some(matches)).map((one) => one.name);
}

/** Starts all triggers but that of the stop. */
export async function startTriggers(
  plan: readonly Sequence[],
  { runner, context, log }: TriggerParts,
): Promise<void> {
  const { admin, health, stopping } = context;
  const fire = async (names: readonly string[], observed: Record<string, string> = {}) => {
    try {
      await runner.trigger(names, { observed });
      if (names.length > 0) log.info('triggered', { event: 'triggered', sequences: names });
    } catch (error) {
      // Not observed either: the next check fires again.
      log.error('a trigger was not recorded', { event: 'trigger_lost', error: errorText(error) });
    }
  };
  const events = new Set(plan.flatMap(({ when }) => when.flatMap(({ event }) => event ?? [])));
  for (const event of events) {
    const names = sequencesWith(plan, (one) => one.event === event);
    admin.post(`/events/${event}`, async () => {
      await runner.trigger(names);
      log.info('triggered', { event: 'triggered', sequences: names });
      return undefined;
    });
  }
  for (const { name, when } of plan) {
    for (const [i, one] of when.entries()) {
      const warning = health.warning(`trigger ${name}[${i}]`);
      const key = observedKey(name, i, one) ?? '';
      if (one.changed !== undefined) {
        watchContent(one.changed, key, warning, (observed, changed) =>
          fire(changed ? [name] : [], observed),
        );
      } else if (one.condition) {
        void watchCondition(one.condition, key, warning, name);
      } else if (one.interval !== undefined) {
        void repeat(one.interval, () => fire([name]));
      }
    }
  }
  if (!runner.started) {
    await runner.trigger(
      sequencesWith(plan, (one) => one.start === true),
      { started: true },
    );
  }

  async function repeat(interval: number, act: () => Promise<void>): Promise<void> {
    while (await pause(interval, stopping)) await act();
  }

  function watchContent(
    path: string,
    key: string,
    warning: Warning,
    found: (observed: Record<string, string>, changed: boolean) => Promise<void>,
  ): void {
    const watch = new PollingWatch({
      directories: [path, dirname(path)],
      interval: 5000,
      log,
      poll: async () => {
        try {
          const digest = await contentDigest(path);
          warning.clear();
          const before = runner.observed(key);
          if (digest !== before) await found({ [key]: digest }, before !== undefined);
        } catch (error) {
          warning.set(errorText(error));
        }
      },
    });
    context.onStop(`watch of ${path}`, () => watch.close());
  }

  /** A check that does not show whether the condition holds changes nothing. */
  async function watchCondition(
    condition: Condition,
    key: string,
    warning: Warning,
    sequence: string,
  ): Promise<void> {
    do {
      const reason = await tryOnce(condition.target, { ...condition, not: true }, check, stopping);
      if (stopping.aborted) return;
      const known = reason === undefined || reason === 'still there';
      if (known) warning.clear();
      else warning.set(reason);
      const now = String(reason !== undefined);
      const before = runner.observed(key);
      if (!known || now === before) continue;
      const fires = before !== undefined && now === String(condition.becomes);
      await fire(fires ? [sequence] : [], { [key]: now });
    } while (await pause(condition.interval, stopping));
  }
}
