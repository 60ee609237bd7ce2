import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the socket of Docker's server as Docker's own client does: DOCKER_HOST, then the current
 * context, then the default. Only Unix sockets: another machine has other files.
 * @throws {ExpectedError} if the server is on another machine.
 */
export function dockerSocket(environment: Environment): string {
  const { DOCKER_HOST: host, XDG_RUNTIME_DIR: runtime } = environment;
  const chosen = host || contextHost(environment);
  if (chosen) {
    if (chosen.startsWith('unix://')) return chosen.slice('unix://'.length);
    throw new ExpectedError(
      `Docker's server is at ${chosen}: pod needs one on a Unix socket of this machine`,
    );
  }
  const rootless = runtime && join(runtime, 'docker.sock');
  const fallback = '/var/run/docker.sock';
  return !existsSync(fallback) && rootless && existsSync(rootless) ? rootless : fallback;
}

/** The host of the current context (docs.docker.com: Docker contexts), which has a file by its hash. */
function contextHost({ HOME: home, DOCKER_CONFIG: own, DOCKER_CONTEXT: named }: Environment) {
  const folder = own || (home && join(home, '.docker'));
  if (!folder) return undefined;
  const name = named || read(join(folder, 'config.json'))?.currentContext;
  if (typeof name !== 'string' || name === 'default') return undefined;
  const hash = createHash('sha256').update(name).digest('hex');
  const host = read(join(folder, 'contexts/meta', hash, 'meta.json'))?.Endpoints?.docker?.Host;
  return typeof host === 'string' ? host : undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a file of another program
function read(path: string): any {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
