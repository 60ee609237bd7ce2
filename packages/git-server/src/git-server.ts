import { mkdir } from 'node:fs/promises';
import { defineSidecar, listen } from '@sidekit/core';
import { createGitServer } from './app.ts';
import { Git } from './git.ts';
import { table } from './options.ts';
import { Repository } from './repository.ts';

/** The server; `path` is where git is looked for, `libraries` where the image has it. */
export function gitServer(path: string, libraries: string | undefined) {
  return defineSidecar({
    table,
    run: async ({ options, log, health, stopped, onStop }) => {
      const ready = health.condition('repository', 'startup', 'ready');
      const git = new Git(path, libraries, options.root);
      await mkdir(options.root, { recursive: true });
      const repository = new Repository(options.root, git);
      await repository.open(options.seed);
      const server = createGitServer(git, repository, log);
      await listen(server, options.listen, '--listen');
      onStop('git server', () => {
        server.closeIdleConnections();
        return new Promise((resolve) => server.close(resolve));
      });
      ready.pass();
      await stopped;
    },
  });
}
