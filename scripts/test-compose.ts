/** `npm run test:compose`: each profile of docker-compose.yml on Docker; needs its compose. */
import { buildImages } from '../images/build.ts';
import { findEngine } from './support/engine.ts';
import { heading } from './support/output.ts';
import { runTests } from './support/tests.ts';

export async function main(): Promise<number> {
  const engine = await findEngine('docker');
  heading('Images (docker)');
  await buildImages(engine);
  heading('Compose profiles');
  return runTests(['test/compose/profiles.test.ts'], { concurrency: 1 });
}
