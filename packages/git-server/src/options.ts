import { address, commonOptions, defineOptions, option, parseAddress, path } from '@sidekit/core';

export const table = defineOptions({
  command: 'git-server',
  summary: 'serves one git repository over smart HTTP, for demonstrations',
  prefix: 'GIT_SERVER',
  options: {
    listen: option(address, {
      description: 'The address of the server.',
      default: parseAddress('127.0.0.1:8081') ?? { host: '127.0.0.1', port: 8081 },
    }),
    root: option(path, {
      description: 'A writable directory for the repository.',
      required: true,
    }),
    seed: option(path, {
      description: 'A directory, such as a ConfigMap, whose files are the first commit.',
    }),
    ...commonOptions(':9908'),
  },
});
