import {
  Broken,
  boolean,
  choice,
  duration,
  object,
  option,
  refine,
  type TypeOf,
} from '@sidekit/core';
import { absolutePath, name } from './names.ts';
import { exactlyOne, listOf, objectWithRules, oneOf } from './rules.ts';
import { alwaysStep, checkTarget, step, targetFields } from './step.ts';

/** The most sequences of a plan, and triggers and steps of a sequence. */
export const MOST = 100;
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
      objectWithRules(
        {
          ...targetFields,
          becomes: option(boolean, {
            description: 'Whether the change to true or that to false is the trigger.',
            default: true,
          }),
          interval: option(duration(100), {
            description: 'The pause between two checks.',
            default: 1000,
          }),
        },
        checkTarget,
      ),
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
export function isLeaderOnly({
  leaderOnly,
  when,
}: {
  readonly leaderOnly: boolean;
  readonly when: readonly { readonly leadership?: 'gained' | 'lost' | undefined }[];
}): boolean {
  return leaderOnly || when.some(({ leadership }) => leadership === 'gained');
}
