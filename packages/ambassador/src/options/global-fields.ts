import { boolean, choice, duration, integer, option, path } from '@sidekit/core';

/** The options of the whole process. */
export const globalFields = {
  accessLog: option(choice('off', 'all', 'errors', 'sampled'), {
    description: 'Which requests to log.',
    default: 'off',
  }),
  accessLogFormat: option(choice('json', 'combined'), {
    description: 'The format of the access log.',
    default: 'json',
  }),
  accessLogFile: option(path, { description: 'The file of the access log; stdout by default.' }),
  accessLogSample: option(integer(1, 1_000_000), {
    description: 'With `sampled`: log one request in this many.',
    default: 100,
  }),
  drainDelay: option(duration(0, 600_000), {
    description:
      'How long inbound listeners continue to accept after SIGTERM, until Services no longer route to the Pod.',
    default: 1000,
  }),
  exposed: option(integer(1, 65_535), {
    description:
      'The `containerPort` that Services lead to; if no listener uses it, the configuration is refused.',
  }),
  fastLane: option(boolean, {
    description: 'Serve plain requests on raw sockets; if off, node:http serves all.',
    default: true,
  }),
} as const;
