import {
  address,
  commonOptions,
  defineOptions,
  integer,
  type OptionValues,
  option,
  parseAddress,
  path,
} from '@sidekit/core';

export const table = defineOptions({
  command: 'webapp',
  summary: 'the demo application: pages for demonstrations of sidecars, not for the Internet.',
  prefix: 'WEBAPP',
  options: {
    listen: option(address, {
      description: 'The address of the pages; 127.0.0.1 keeps them inside the Pod.',
      default: parseAddress('127.0.0.1:5000') ?? { host: '127.0.0.1', port: 5000 },
    }),
    grpcListen: option(address, {
      description:
        'Also serve gRPC in cleartext at this address: `demo.Echo`, `grpc.health.v1.Health`, and at `/grpc` a page that calls it by gRPC-Web.',
    }),
    static: option(path, {
      description: 'A directory, such as a shared volume, whose files are served at `/`.',
    }),
    accessLog: option(path, {
      description:
        'Write the access log to this file instead of stdout; a file that is renamed or truncated is followed.',
    }),
    settings: option(path, {
      description:
        'A file that is read at the start and at SIGHUP, and shown at `/settings`: for demonstrations of a reload by signal.',
    }),
    statsd: option(address, {
      description: 'Also send metrics of each request to StatsD at this address, over UDP.',
    }),
    syslog: option(address, {
      description: 'Also send a line for each request to syslog at this address, over UDP.',
    }),
    maxBody: option(integer(0, 64 * 1024 * 1024), {
      description: 'The largest request body that `/echo` and `/sink` take, in bytes.',
      default: 4 * 1024 * 1024,
    }),
    ...commonOptions(':9900'),
  },
  examples: [
    ['webapp', 'On 127.0.0.1:5000, the access log on stdout.'],
    ['webapp --grpc-listen 127.0.0.1:50051', 'Serves gRPC too.'],
    ['webapp --listen :8080 --static /html', 'Serves the files that another container writes.'],
  ],
});

export type Options = OptionValues<typeof table.options>;
