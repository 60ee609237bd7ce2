import {
  boolean,
  choice,
  commonOptions,
  defineOptions,
  duration,
  option,
  path,
  text,
  url,
} from '@sidekit/core';
import { table as producerTable } from '../producer/options.ts';
import { checkShared, sharedOptions } from '../shared-options.ts';

const PRODUCER_ONLY = Object.keys(producerTable.options).filter(
  (key) => !Object.hasOwn(sharedOptions, key) && key !== 'file',
);

export const table = defineOptions({
  command: 'mq consumer',
  summary:
    'takes records from a POSIX message queue or a ring in shared memory and hands them to a sink',
  prefix: 'MQ',
  sharedKeys: PRODUCER_ONLY,
  options: {
    ...sharedOptions,
    sink: option(choice('stdout', 'file', 'http'), {
      description:
        'The sink of the records, one a line. `http`: as the lines of the body of a POST.',
      default: 'stdout',
    }),
    file: option(path, {
      description:
        'With `file`: the file to append to. With `at-least-once` nobody else may write to it.',
    }),
    url: option(url('http', 'https'), { description: 'With `http`: the URL to POST to.' }),
    prefix: option(text(), {
      description: 'With `stdout`: the text before each record.',
      default: 'Consumed: ',
    }),
    timeout: option(duration(1, 600_000), {
      description: 'With `http`: the time for one POST.',
      default: 10_000,
    }),
    unlink: option(boolean, {
      description: 'Remove the queue after the exit message.',
      default: false,
    }),
    ...commonOptions(':9905'),
  },
  check: (values, _operands, report) => {
    checkShared(values, report);
    for (const [sink, key] of [
      ['file', 'file'],
      ['http', 'url'],
    ] as const) {
      if (values.sink === sink && values[key] === undefined) {
        report({ name: `--${key}`, rule: `is missing with --sink ${sink}`, remedy: `give it` });
      }
      if (values.sink !== sink && values[key] !== undefined) {
        report({
          name: `--${key}`,
          value: values[key],
          rule: `is not used with --sink ${values.sink}`,
          remedy: `add --sink ${sink}, or leave it out`,
        });
      }
    }
  },
  examples: [
    ['mq consumer', 'Prints `Consumed: …` for each record, until done.'],
    [
      'mq consumer --sink file --file /data/records.txt --delivery at-least-once --journal /journal',
      'Each record is in the file once, whatever is killed meanwhile.',
    ],
    ['mq consumer --sink http --url http://127.0.0.1:8080/records', 'Posts them to the app.'],
  ],
});
