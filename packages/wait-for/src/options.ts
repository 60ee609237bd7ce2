import {
  Broken,
  boolean,
  defineOptions,
  duration,
  formatDuration,
  list,
  type OptionValues,
  option,
  scalar,
  text,
} from '@sidekit/core';
import { parseSemaphoreKey } from '@sidekit/shared-memory';
import { parseTarget, statuses } from '@sidekit/targets';

const semaphoreKey = scalar(
  'semaphore key',
  { type: ['string', 'integer'] },
  (input): number | Broken =>
    parseSemaphoreKey(String(input)) ??
    new Broken('must be the key of a semaphore', 'write 0x5eed, 24301 or /path:1 as for ftok(3)'),
);

export const table = defineOptions({
  command: 'wait-for',
  summary:
    'waits until queues, ports, URLs, files and names are there, then exits or runs a command.',
  prefix: 'WAIT_FOR',
  operands: {
    label: 'TARGET',
    description:
      'Each TARGET is one of mq:/queue, shm:/segment, sem:KEY, tcp:host:port, unix:/socket, http://host/path, https://host/path, file:/path, dns:name. All are tried in parallel.',
    command: true,
    check: (operand, report) => void parseTarget(operand, report),
  },
  options: {
    target: option(list(text('target')), {
      description: 'More targets, for use in the environment, such as from a ConfigMap.',
      default: [],
    }),
    timeout: option(duration(), {
      description: 'The time to wait in total, then exit 69. 0 means no limit.',
      default: 60_000,
    }),
    interval: option(duration(10), {
      description: 'The pause between two tries of a target.',
      default: 500,
    }),
    maxInterval: option(duration(10), {
      description:
        'Double the pause after each try up to this; without it, the pause stays `--interval`.',
    }),
    tryTimeout: option(duration(10), {
      description: 'The time for one try.',
      default: 5000,
    }),
    any: option(boolean, {
      description: 'Succeed when one target is there.',
      default: false,
    }),
    not: option(boolean, {
      description: 'Wait until the targets are not there.',
      default: false,
    }),
    once: option(boolean, {
      description: 'Try each target once, as a probe or a test in a script.',
      default: false,
    }),
    status: option(list(statuses), {
      description:
        'With http and https: the statuses that count, each a number or a range such as 200-299; any from 200 to 399 by default.',
      default: [],
    }),
    body: option(text('regular expression'), {
      description: 'With http and https: must match the first 64 KiB of the response.',
    }),
    caFile: option(text('path'), {
      description: 'With https: PEM file of the authorities to trust instead of the system’s.',
    }),
    acquire: option(semaphoreKey, {
      description:
        'With a command: the key of a System V semaphore that it acquires after the wait, and that the kernel gives back when the command ends, even if it is killed. Commands with one key take turns.',
    }),
    quiet: option(boolean, {
      description: 'Print only the reason of a failure.',
      default: false,
    }),
  },
  examples: [
    [
      'wait-for tcp:db:5432 http://api:80/ready --timeout 30s',
      'Both must be there within 30 seconds.',
    ],
    [
      'wait-for mq:/records -- /app/start',
      'Runs the command in its place once the queue is there.',
    ],
    ['wait-for --not file:/shared/lock', 'Until the file is gone.'],
    [
      'wait-for --acquire 0x5eed -- /app/migrate',
      'One at a time of all containers of the Pod that use this key.',
    ],
    ['wait-for --once http://127.0.0.1:8080/ready', 'One try: exit 0 or 69.'],
  ],
  check(values, operands, report) {
    for (const target of values.target) parseTarget(target, report);
    if (operands.length + values.target.length === 0 && values.acquire === undefined) {
      report({
        name: 'TARGET',
        rule: 'is missing',
        remedy: 'give one, such as tcp:db:5432, or set WAIT_FOR_TARGET',
      });
    }
    if (values.maxInterval !== undefined && values.maxInterval < values.interval) {
      report({
        name: '--max-interval',
        value: formatDuration(values.maxInterval),
        rule: `must be at least --interval, which is ${formatDuration(values.interval)}`,
      });
    }
    if (values.body !== undefined) {
      try {
        new RegExp(values.body);
      } catch (error) {
        report({
          name: '--body',
          value: values.body,
          rule: `must be a regular expression (${(error as Error).message})`,
        });
      }
    }
  },
});

export type Options = OptionValues<typeof table.options>;
