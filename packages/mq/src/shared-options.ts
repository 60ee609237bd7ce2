import {
  Broken,
  boolean,
  choice,
  duration,
  option,
  path,
  type Report,
  scalar,
  text,
} from '@sidekit/core';
import { checkQueueName } from '@sidekit/posix-mq';
import { checkSegmentName } from '@sidekit/shared-memory';

const queueName = scalar(
  'queue name',
  { type: 'string', pattern: '^(ring:)?/[^/]{1,255}$' },
  (input) => {
    if (typeof input !== 'string') return new Broken('must be text', 'put it in quotes');
    const ring = input.startsWith('ring:');
    const name = ring ? input.slice('ring:'.length) : input;
    const broken = ring ? checkSegmentName(name) : checkQueueName(name);
    if (broken) return new Broken(broken.rule, broken.remedy);
    return Buffer.byteLength(name) > 252
      ? new Broken('must leave room for .ack', 'choose a name of at most 251 bytes')
      : input;
  },
);

/** The options that both sides have; both need the same values. */
export const sharedOptions = {
  queue: option(queueName, {
    description:
      'The queue, in the IPC namespace that the containers of a Pod share: `/name` is a POSIX message queue, `ring:/name` a ring in shared memory.',
    default: '/sidekit',
  }),
  delivery: option(choice('at-most-once', 'at-least-once'), {
    description:
      '`at-most-once`: plain messages, nothing kept. `at-least-once`: journal, acknowledgements, redelivery and deduplication; the same on both sides.',
    default: 'at-most-once',
  }),
  journal: option(path, {
    description:
      'With `at-least-once`: a directory on a volume that outlives the container, shared by both sides if possible.',
  }),
  sync: option(boolean, {
    description:
      'With `at-least-once`: the producer writes records to the disk before it answers or sends them, the consumer before it acknowledges them: a power failure loses nothing. Slower.',
    default: false,
  }),
  exitMessage: option(text(), {
    description:
      'The message that ends the consumer: sent after the last record. Empty: none is sent, and the consumer runs until SIGTERM.',
    default: 'done',
  }),
  checkInterval: option(duration(1, 60_000), {
    description:
      'The longest time until a created, removed or recreated queue is noticed; events of `/dev/mqueue` shorten it.',
    // Each check wakes an idle process: a few a second would be most of what it costs.
    default: 1000,
  }),
};

interface SharedValues {
  readonly delivery: string;
  readonly journal: string | undefined;
  readonly sync: boolean;
  readonly exitMessage: string;
}

/** Checks the rules between the options that both sides have. */
export function checkShared(values: SharedValues, report: Report): void {
  if (values.delivery === 'at-least-once' && values.journal === undefined) {
    report({
      name: '--journal',
      rule: 'is missing with --delivery at-least-once',
      remedy: 'give a directory on a volume that outlives the container',
    });
  }
  if (values.delivery === 'at-most-once' && values.journal !== undefined) {
    report({
      name: '--journal',
      value: values.journal,
      rule: 'is not used with --delivery at-most-once',
      remedy: 'add --delivery at-least-once, or leave it out',
    });
  }
  if (values.delivery === 'at-most-once' && values.sync) {
    report({
      name: '--sync',
      rule: 'is not used with --delivery at-most-once',
      remedy: 'add --delivery at-least-once, or leave it out',
    });
  }
  if (/[\n\0]/.test(values.exitMessage)) {
    report({
      name: '--exit-message',
      value: values.exitMessage,
      rule: 'must be one line',
      remedy: 'leave out line feeds and NUL',
    });
  }
}
