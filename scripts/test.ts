/** `npm test`: checks, unit tests, images and their tests, every Pod end to end, and the documentation. */

import { main as check } from './check.ts';
import { findEngine } from './support/engine.ts';
import { buildImages } from './support/images/build.ts';
import { Interruption, interruptedCode } from './support/interruption.ts';
import { green, heading, red, seconds, table } from './support/output.ts';
import { runTests } from './support/tests.ts';
import { main as testComponents } from './test-components.ts';
import { main as testDocs } from './test-docs.ts';
import { lifecycleTests, testPodsOfBoth } from './test-pods.ts';
import { main as testUnit } from './test-unit.ts';

export async function main(): Promise<number> {
  const engine = await findEngine(process.env.POD_ENGINE);
  using interruption = new Interruption();
  const rows = [['stage', 'result', 'time']];
  let failed = false;
  const stage = async (name: string, work: () => Promise<number>) => {
    if (interruption.signal.aborted) return;
    const start = performance.now();
    const code = await work().catch(async (error: Error) => {
      if ((await interruptedCode()) === undefined) console.error(error.message);
      return 1;
    });
    failed ||= code !== 0;
    rows.push([name, code === 0 ? green('passed') : red('failed'), seconds(start)]);
  };
  await stage('checks', check);
  await stage('unit tests', () => testUnit([]));
  await stage('images', async () => {
    heading(`Images (${engine.name})`);
    await buildImages(engine);
    return 0;
  });
  process.env.POD_ENGINE = engine.name;
  await stage('Pods', () => testPodsOfBoth(engine));
  await stage('components', testComponents);
  // Together, since the test of the images runs one container after another.
  await stage('lifecycle and images', () => {
    heading(`Lifecycle and images (${engine.name})`);
    return runTests(['test/images.test.ts', ...lifecycleTests()], {
      concurrency: 3,
      env: { POD_ENGINE: engine.name },
    });
  });
  await stage('documentation', () => testDocs([]));
  heading('Result');
  console.log(table(rows));
  return interruption.exitCode ?? (failed ? 1 : 0);
}
