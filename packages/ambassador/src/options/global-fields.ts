import { boolean, choice, duration, integer, number, option, path, text, url } from '@sidekit/core';

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
  tracesEndpoint: option(url('http', 'https'), {
    description:
      'Where spans are sent by OTLP/HTTP as JSON, such as `http://collector:4318/v1/traces`; without it none are recorded.',
  }),
  tracesRatio: option(number(0, 1), {
    description:
      'The share of requests that begin a sampled trace; those with a `traceparent` follow its flags.',
    default: 0.1,
  }),
  tracesService: option(
    text('name', { matches: /^[ -~]{1,255}$/, rule: 'must be printable ASCII' }),
    {
      description: 'The `service.name` of the spans.',
      default: 'ambassador',
    },
  ),
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
