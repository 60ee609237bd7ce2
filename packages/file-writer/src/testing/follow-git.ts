import { Target } from '../publish/target.ts';
import { type GitSourceOptions, gitSource } from '../source/git.ts';
import { writeSettings } from './write-settings.ts';

const MIB = 1024 * 1024;

/** Returns a function that checks a repository once and publishes a change at `target`. */
export function followGit(
  repository: string,
  target: string,
  changes: Partial<GitSourceOptions> = {},
  warnings: string[] = [],
) {
  const source = gitSource({
    repository,
    target,
    ref: 'main',
    subpath: undefined,
    credentials: undefined,
    caFile: undefined,
    idleTimeout: 10_000,
    maxSize: 64 * MIB,
    maxFiles: 20_000,
    ...changes,
  });
  const published = new Target(writeSettings(target, { fsync: false }));
  return async (fresh = false) => {
    const content = await source.poll({ signal: AbortSignal.timeout(60_000), fresh });
    const outcome = content && (await published.publish(content));
    if (content?.kind === 'tree') warnings.push(...(content.warnings?.() ?? []));
    return outcome;
  };
}
