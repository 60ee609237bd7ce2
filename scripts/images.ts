/**
 * `npm run images`: builds all images; `-- NAME…` only some, `-- --bundles-only` their content,
 * `-- --load kind|minikube|k3d|k3s|REGISTRY` brings them to a cluster.
 */
import { parseArgs } from 'node:util';
import { IMAGES } from '../images/catalog.ts';
import { findEngine } from './support/engine.ts';
import { buildImages, imageReference } from './support/images/build.ts';
import { writeBundles } from './support/images/bundles.ts';
import { checkLoadTarget, loadImages } from './support/images/load.ts';
import { heading } from './support/output.ts';
import { checkNames } from './support/usage.ts';

export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      engine: { type: 'string' },
      'bundles-only': { type: 'boolean' },
      load: { type: 'string' },
    },
  });
  checkNames(
    'image',
    positionals,
    IMAGES.map(({ name }) => name),
  );
  // Before the build, which takes minutes.
  if (values.load !== undefined) checkLoadTarget(values.load);
  const engine = await findEngine(values.engine ?? process.env.POD_ENGINE);
  if (values['bundles-only']) {
    await writeBundles(engine, 'dist/bundles');
    return 0;
  }
  heading(`Images (${engine.name})`);
  const wanted = IMAGES.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  await buildImages(engine, wanted);
  const references = wanted.map(({ name }) => imageReference(name));
  for (const reference of references) console.log(`  ${reference}`);
  if (values.load !== undefined) await loadImages(engine.name, references, values.load);
  return 0;
}
