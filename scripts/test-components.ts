/** `npm run test:components`: the Kustomize components, rendered and on the engine of POD_ENGINE. */
import { globSync } from 'node:fs';
import { findEngine } from './support/engine.ts';
import { buildImages } from './support/images/build.ts';
import { findKubectl } from './support/kubectl.ts';
import { heading } from './support/output.ts';
import { runTests } from './support/tests.ts';

export async function main(): Promise<number> {
  const { POD_ENGINE: wanted } = process.env;
  const KUBECTL = await findKubectl();
  let name = 'kube';
  if (wanted !== 'kube') {
    const engine = await findEngine(wanted);
    await buildImages(engine);
    name = engine.name;
  }
  heading(`Components (${name})`);
  const files = globSync('test/components/*.test.ts').toSorted();
  return runTests(files, { concurrency: 2, env: { POD_ENGINE: name, KUBECTL } });
}
