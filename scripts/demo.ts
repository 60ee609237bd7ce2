/**
 * `npm run demo`: builds the images and runs every Pod of manifests/pods in real containers.
 * `-- --only NAME`, `--keep`, `--view` (with the live page), `--engine docker|podman`. Exit code 0
 * only if all worked. Ctrl-C removes what it started.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { IMAGES, type ImageSpec } from '../images/catalog.ts';
import { demoNames, demonstrate } from './support/demo/demo.ts';
import { servePage } from './support/demo/live-page.ts';
import { podTarget } from './support/demo/pod-target.ts';
import { findEngine } from './support/engine.ts';
import { buildImages } from './support/images/build.ts';
import { Interruption } from './support/interruption.ts';
import { dim, heading } from './support/output.ts';
import { checkNames } from './support/usage.ts';

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      keep: { type: 'boolean' },
      view: { type: 'boolean' },
      engine: { type: 'string' },
    },
  });
  const names = demoNames();
  checkNames('Pod', values.only ?? [], names);
  const engine = await findEngine(values.engine);
  const { keep = false } = values;
  const wanted = names.filter((one) => !values.only || values.only.includes(one));
  heading(`Images (${engine.name})`);
  await buildImages(engine, imagesOf(wanted));
  console.log(dim('  all built'));

  using interruption = new Interruption();
  const { signal } = interruption;
  await using _page = values.view ? servePage() : undefined;
  await using target = podTarget(engine.name, signal);
  const code = await demonstrate(wanted, target, { keep, signal });
  if (keep && !signal.aborted)
    console.log(dim('\nThe Pods are kept: npx pod ps, npx pod logs POD, npx pod down --all'));
  return interruption.exitCode ?? code;
}

/** The images that the Pods of these manifests run. */
function imagesOf(names: readonly string[]): ImageSpec[] {
  const texts = names.map((name) => readFileSync(`manifests/pods/${name}.yaml`, 'utf8'));
  return IMAGES.filter(({ name }) => texts.some((text) => text.includes(` sidekit/${name}:`)));
}
