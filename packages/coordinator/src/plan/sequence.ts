import { posix } from 'node:path';
import {
  Broken,
  boolean,
  choice,
  duration,
  type Fault,
  object,
  option,
  refine,
  type TypeOf,
} from '@sidekit/core';
import { absolutePath, name } from './names.ts';
import { exactlyOne, listOf, objectWithRules, oneOf } from './rules.ts';
import { alwaysStep, step, targetFields } from './step.ts';

const MOST = 100;
const TRIGGERS = ['start', 'stop', 'changed', 'interval', 'event', 'condition', 'leadership'];

const yes = refine(boolean, (value) =>
  value ? undefined : new Broken('must be true', 'write true, or leave it out'),
);

const trigger = objectWithRules(
  {
    start: option(yes, { description: 'Once, when the Pod starts.' }),
    stop: option(yes, { description: 'Once, when the Pod stops.' }),
    changed: option(absolutePath, {
      description:
        'When the content of a file changes, or of the files of a directory, such as a mounted ConfigMap.',
    }),
    interval: option(duration(100), { description: 'Again and again, after this time.' }),
    event: option(name, { description: 'At each `POST /events/NAME`.' }),
    condition: option(
      object({
        ...targetFields,
        becomes: option(boolean, {
          description: 'Whether the change to true or that to false is the trigger.',
          default: true,
        }),
        interval: option(duration(100), {
          description: 'The pause between two checks.',
          default: 1000,
        }),
      }),
      { description: 'When a condition becomes true or false.' },
    ),
    leadership: option(choice('gained', 'lost'), {
      description: 'When this replica becomes the leader, or no longer is.',
    }),
  },
  (given, complain) => exactlyOne(given, TRIGGERS, complain),
  oneOf(TRIGGERS),
);

const sequence = object({
  name: option(name, { description: 'The name in logs and metrics.', required: true }),
  when: option(listOf(trigger, MOST, { min: 1 }), {
    description: 'The triggers; each runs the sequence.',
    required: true,
  }),
  steps: option(listOf(step, MOST, { min: 1 }), {
    description: 'The steps, in order, until one fails.',
    required: true,
  }),
  always: option(listOf(alwaysStep, MOST), {
    description: 'Steps that run afterwards in any case: after a failure, a stop or a crash.',
    default: [],
  }),
  leaderOnly: option(boolean, {
    description:
      'Run only on the leader: skipped elsewhere, and its steps end when leadership does. Always so if a trigger is `leadership: gained`.',
    default: false,
  }),
});

const list = listOf(sequence, MOST, { unique: 'name' });
export const sequences = {
  ...list,
  // Steps may hold secrets: the start-up log shows the names only.
  format: (all: readonly Sequence[]) => all.map((one) => one.name).join(','),
};

export type Sequence = TypeOf<typeof sequence>;
export type Trigger = TypeOf<typeof trigger>;

/** Whether a sequence runs only while this replica leads. */
export function isLeaderOnly({ leaderOnly, when }: Sequence): boolean {
  return leaderOnly || when.some(({ leadership }) => leadership === 'gained');
}

/** Checks rules between parts of a plan. */
export function checkPlan(
  plan: readonly Sequence[],
  {
    participants,
    leadership,
    stateDir,
  }: {
    readonly participants: readonly string[];
    readonly leadership?: unknown;
    readonly stateDir?: string;
  },
  report: (fault: Fault) => void,
): void {
  const isOwn = (path: string) =>
    stateDir !== undefined && posix.relative(stateDir, path).split('/')[0] !== '..';
  if (plan.length === 0 && leadership === undefined) {
    const rule = 'must have at least one sequence';
    report({ name: 'sequences', rule, remedy: 'add one, or leadership' });
  }
  for (const [i, one] of plan.entries()) {
    const loses = one.when.some((trigger) => trigger.leadership === 'lost');
    if (leadership === undefined && (loses || isLeaderOnly(one))) {
      report({
        name: `sequences[${i}]`,
        value: one.name,
        rule: 'needs the key leadership',
        remedy: 'add leadership: { lease: NAME }',
      });
    } else if (loses && isLeaderOnly(one)) {
      report({
        name: `sequences[${i}].when`,
        value: one.name,
        rule: 'must not have leadership: lost in a sequence that only the leader runs',
        remedy: 'split it',
      });
    }
    for (const [j, { changed }] of one.when.entries()) {
      if (changed === undefined || !isOwn(changed)) continue;
      const rule = 'is below stateDir, which changes with every run';
      const remedy = 'watch another file';
      report({ name: `sequences[${i}].when[${j}].changed`, value: changed, rule, remedy });
    }
    for (const part of ['steps', 'always'] as const) {
      for (const [j, { letStop, write }] of one[part].entries()) {
        if (write && isOwn(write.path)) {
          report({
            name: `sequences[${i}].${part}[${j}].write.path`,
            value: write.path,
            rule: 'is below stateDir, where only the journal is written',
            remedy: 'write elsewhere on the volume',
          });
        }
        if (letStop === undefined || participants.includes(letStop)) continue;
        report({
          name: `sequences[${i}].${part}[${j}].letStop`,
          value: letStop,
          rule: 'is not one of participants',
          remedy: `known are ${participants.join(', ') || 'none'}`,
        });
      }
    }
  }
}
