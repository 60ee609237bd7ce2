/** Follows `URL` into `PATH` with the file-writer's git client, once for each line on stdin. */
import * as fileSystem from 'node:fs/promises';
import { Target } from '../../packages/file-writer/src/publish/target.ts';
import { gitSource } from '../../packages/file-writer/src/source/git.ts';
import { serveChecks } from './checks.ts';

const [repository = '', path = ''] = process.argv.slice(2);
const GIB = 1024 ** 3;
const limits = { maxSize: GIB, maxFiles: 100_000 };
const source = gitSource({
  ...{ repository, target: path, ref: 'main', idleTimeout: 60_000, ...limits },
  ...{ subpath: undefined, credentials: undefined, caFile: undefined },
});
const target = new Target({
  ...{ target: path, mode: 0o644, directoryMode: 0o755, owner: undefined, fsync: false },
  ...{ keep: 0, keepFor: 0, appends: false, links: 'refuse', fileSystem, ...limits },
});
await serveChecks(async () => {
  const content = await source.poll({ signal: AbortSignal.timeout(120_000), fresh: false });
  if (content) await target.publish(content);
});
