import {
  address,
  Broken,
  boolean,
  choice,
  commonOptions,
  defineOptions,
  duration,
  integer,
  option,
  parseAddress,
  path,
  refine,
  scalar,
  size,
} from '@sidekit/core';
import { checkShared, sharedOptions } from '../shared-options.ts';

const fileMode = scalar('octal mode', { type: 'string', pattern: '^0?[0-7]{3}$' }, (input) =>
  typeof input === 'string' && /^0?[0-7]{3}$/.test(input)
    ? input
    : new Broken('must be an octal mode', 'write it in quotes, such as 0660'),
);

const ringSize = refine(size(65_536, 64 * 1024 * 1024), (value) =>
  (value & (value - 1)) === 0
    ? undefined
    : new Broken('must be a power of two', 'write 1MiB, for example'),
);

export const table = defineOptions({
  command: 'mq producer',
  summary: 'puts records from a source into a POSIX message queue or a ring in shared memory',
  prefix: 'MQ',
  sharedKeys: ['sink', 'url', 'prefix', 'timeout', 'unlink'],
  options: {
    ...sharedOptions,
    source: option(choice('random', 'stdin', 'file', 'http'), {
      description:
        'The source of the records. `stdin` and `file`: one a line. `http`: one a line of the body of a POST.',
      default: 'random',
    }),
    count: option(integer(0), {
      description: 'With `random`: the number of random numbers (0–255, in hex).',
      default: 500,
    }),
    interval: option(duration(0, 3_600_000), {
      description: 'With `random`: the pause between two numbers.',
      default: 0,
    }),
    file: option(path, { description: 'With `file`: the file, read once to its end.' }),
    listen: option(address, {
      description: 'With `http`: the address that takes records.',
      default: parseAddress(':8080') as NonNullable<ReturnType<typeof parseAddress>>,
    }),
    maxBody: option(size(1, 64 * 1024 * 1024), {
      description: 'With `http`: the largest body.',
      default: 1024 * 1024,
    }),
    print: option(boolean, {
      description:
        'Print `Produced: …` for each record on stdout; on by default with `random` only.',
    }),
    batch: option(boolean, {
      description: 'Pack as many available records as fit into one message.',
      default: false,
    }),
    priority: option(integer(0, 31), {
      description: 'The priority of the messages; higher ones are received first.',
      default: 0,
    }),
    mode: option(fileMode, {
      description:
        'The mode of a queue that is created, whatever the umask. Consumers of another UID need 0644, with `at-least-once` or a ring 0666.',
      default: '0644',
    }),
    maxmsg: option(integer(1), {
      description: 'The most messages that a created queue holds.',
      default: 10,
    }),
    msgsize: option(size(1), {
      description: 'The largest message of a created queue.',
      default: 1024,
    }),
    ringSize: option(ringSize, {
      description: 'The bytes that a created ring holds, a power of two.',
      default: 1024 * 1024,
    }),
    redeliverAfter: option(duration(10, 3_600_000), {
      description:
        'With `at-least-once`: the time without an acknowledgement after which the messages in flight are sent again.',
      default: 1000,
    }),
    ...commonOptions(':9904'),
  },
  check: (values, _operands, report) => {
    checkShared(values, report);
    if ((values.source === 'file') !== (values.file !== undefined)) {
      report(
        values.source === 'file'
          ? { name: '--file', rule: 'is missing with --source file', remedy: 'give the file' }
          : {
              name: '--file',
              value: values.file,
              rule: `is not used with --source ${values.source}`,
              remedy: 'add --source file, or leave it out',
            },
      );
    }
    if (
      !values.queue.startsWith('ring:') &&
      Buffer.byteLength(values.exitMessage) > values.msgsize
    ) {
      report({
        name: '--exit-message',
        value: values.exitMessage,
        rule: `is longer than --msgsize ${values.msgsize}`,
        remedy: 'shorten it',
      });
    }
  },
  examples: [
    ['mq producer --count 5', 'Five random numbers, then done, as in the article.'],
    [
      'tail -f app.log | mq producer --source stdin --batch',
      'Lines as they arrive, as many in a message as fit.',
    ],
    [
      'mq producer --source http --delivery at-least-once --journal /journal',
      'Takes records by POST; 202 means that they are in the journal.',
    ],
  ],
});
