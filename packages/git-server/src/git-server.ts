import { mkdir } from 'node:fs/promises';
import { defineSidecar, listen } from '@sidekit/core';
import { createGitServer } from './app.ts';
import { Git } from './git.ts';
import { table } from './options.ts';
import { Repository } from './repository.ts';

/** Defines the server. @param path of git. @param libraries of git in the image. */
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
      log.info('listening', { event: 'listening', address: server.address() });
      onStop('git server', () => {
        server.closeIdleConnections();
        return new Promise((resolve) => server.close(resolve));
      });
      ready.pass();
      await stopped;
    },
  });
}
