/**
 * `npm run demo`: builds the images and runs every Pod of manifests/pods in real containers.
 * `-- --only NAME`, `--keep`, `--engine docker|podman`. Exit code 0 only if all worked.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { type Demo, runDemo } from './support/demo-pod.ts';
import { findEngine } from './support/engine.ts';
import { buildImages } from './support/images/build.ts';
import { bold, dim, green, heading, red, seconds, table } from './support/output.ts';

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      keep: { type: 'boolean' },
      engine: { type: 'string' },
    },
  });
  const names = globSync('manifests/pods/*.yaml')
    .map((path) => basename(path, '.yaml'))
    .toSorted();
  const unknown = (values.only ?? []).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`no Pod ${unknown.join(', ')}: there are ${names.join(', ')}`);
    return 64;
  }
  const engine = await findEngine(values.engine);
  heading(`Images (${engine.name})`);
  await buildImages(engine);
  console.log(dim('  all built'));

  const rows = [['Pod', 'result', 'time', 'what it showed']];
  let failed = false;
  for (const name of names.filter((one) => !values.only || values.only.includes(one))) {
    const path = `manifests/pods/${name}.yaml`;
    console.log(`\n${bold(name)}  ${dim(summary(path))}`);
    const start = performance.now();
    const demo: Demo = await runDemo(path, { engine: engine.name, keep: values.keep ?? false });
    failed ||= !demo.worked;
    rows.push([name, demo.worked ? green('worked') : red('failed'), seconds(start), demo.showed]);
  }
  heading('Result');
  console.log(table(rows));
  if (values.keep)
    console.log(dim('\nThe Pods are kept: npx pod ps, npx pod logs POD, npx pod down --all'));
  return failed ? 1 : 0;
}

/** The first sentence of the manifest's own comment. */
function summary(path: string): string {
  const comment: string[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (!line.startsWith('#')) break;
    comment.push(line.slice(1).trim());
  }
  return /^[^.]*\./.exec(comment.join(' '))?.[0] ?? '';
}
