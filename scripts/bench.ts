/** `npm run bench -- NAME…`: the benchmarks beside the peers found on the machine; all without a name. */
import { globSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureDebianPackages } from './support/debian.ts';
import { ensureMessageQueues } from './support/mqueue.ts';
import { heading } from './support/output.ts';
import { checkNames } from './support/usage.ts';

interface Benchmark {
  run(args: readonly string[]): Promise<void>;
}

export async function main(args: readonly string[]): Promise<number> {
  const names = globSync('bench/*.ts')
    .map((path) => basename(path, '.ts'))
    .toSorted();
  const wanted = args.filter((word) => !word.startsWith('-'));
  checkNames('benchmark', wanted, names);
  // rsyslog and mtail are the counterparts that Debian has.
  const packages = ['gcc', 'libc6-dev', 'util-linux', 'logrotate', 'rsyslog', 'mtail'];
  await ensureDebianPackages(packages, 'the benchmarks');
  await ensureMessageQueues();
  for (const name of wanted.length > 0 ? wanted : names) {
    heading(`Benchmark ${name}`);
    const benchmark: Benchmark = await import(pathToFileURL(resolve('bench', `${name}.ts`)).href);
    await benchmark.run(args.filter((word) => word.startsWith('-')));
  }
  return 0;
}
