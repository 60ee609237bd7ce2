/**
 * `npm run test:pods`: every Pod end to end, on the engine of POD_ENGINE (docker, podman or
 * kube); `-- NAME…` only some, `-- lifecycle` the lifecycle suite. What only a cluster has is tested
 * on one: admission, injection, the manifests of manifests/cluster, and `kubectl debug`.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ensureDebianPackages } from './support/debian.ts';
import { type ContainerEngine, findEngine } from './support/engine.ts';
import { buildImages, imageReference } from './support/images/build.ts';
import { OrdinaryUser } from './support/ordinary-user/ordinary-user.ts';
import { dim, heading } from './support/output.ts';
import { LIMIT, runTests, testArguments } from './support/tests.ts';
import { checkNames } from './support/usage.ts';

/** Begun first, so that everything else runs beside it. */
const LONGEST = 'test/lifecycle/leave-nothing.test.ts';
/** Run as an ordinary user in every test: HTTP, a message queue, and a shared volume. */
const AS_USER = ['ambassador', 'message-queue-at-least-once', 'shared-volume'];

export async function main(args: readonly string[]): Promise<number> {
  const { POD_ENGINE: wanted } = process.env;
  const known = [...podTests(), ...clusterTests()].map((file) => basename(file, '.test.ts'));
  checkNames('Pod', args, ['lifecycle', ...known]);
  // On a cluster the images are loaded already, by whoever made it.
  const engine = wanted === 'kube' ? { name: 'kube' } : await findEngine(wanted);
  if (engine.name !== 'kube') {
    heading(`Images (${engine.name})`);
    await buildImages(engine as Awaited<ReturnType<typeof findEngine>>);
  }
  if (args.includes('lifecycle')) return testLifecycle(engine.name);
  await ensureDebianPackages(['prometheus'], 'what scrapes the Pods');
  heading(`Pods (${engine.name})`);
  const files = podTests();
  const onCluster = clusterTests();
  if (engine.name === 'kube') files.push(...onCluster);
  else
    console.log(
      dim(`  not run, because there is no cluster (POD_ENGINE=kube): ${onCluster.join(', ')}`),
    );
  const chosen = files.filter(
    (file) => args.length === 0 || args.includes(basename(file, '.test.ts')),
  );
  const concurrency = engine.name === 'kube' ? 1 : 3;
  const code = await runTests(chosen, { concurrency, env: { POD_ENGINE: engine.name } });
  if (code !== 0) console.log(`\nLogs and events of each Pod: dist/evidence/${engine.name}`);
  return code;
}

/** Lists the tests of what only a cluster has. */
function clusterTests(): string[] {
  return globSync([
    'test/{admission,cluster,debug,injection}/*.test.ts',
    'packages/pod/src/manifest/verdicts.test.ts',
  ]).toSorted();
}

/** Lists the tests of Pods that every engine can run. */
export function podTests(): string[] {
  return ['test/pods.test.ts', ...globSync('test/{kills,pods}/*.test.ts').toSorted()];
}

/**
 * Runs Pods as an ordinary user: with rootless Podman, or as a member of the docker group. If that
 * is not possible on this machine, what it lacks is printed.
 * @returns the exit code; undefined if nothing was run.
 */
export async function testAsUser(
  engine: ContainerEngine,
  files: readonly string[],
): Promise<number | undefined> {
  heading(`Pods as an ordinary user (${engine.name})`);
  let user: OrdinaryUser;
  try {
    user = await OrdinaryUser.create(engine, imagesOf(files));
  } catch (error) {
    console.log(dim(`  not run: ${(error as Error).message}`));
    return undefined;
  }
  try {
    const command = ['node', ...testArguments(files, 2)];
    return await user.run(command, { env: { POD_ENGINE: engine.name }, timeout: LIMIT });
  } finally {
    user.keep('dist/user');
    user[Symbol.dispose]();
  }
}

/** Lists the images of the manifests of Pod tests, and that of the lifecycle Pods. */
function imagesOf(files: readonly string[]): string[] {
  const manifests = files
    .map((file) => `manifests/pods/${basename(file, '.test.ts')}.yaml`)
    .filter((path) => existsSync(path));
  const found = manifests.flatMap(
    (path) => readFileSync(path, 'utf8').match(/(?<=image: )sidekit\/\S+/g) ?? [],
  );
  const isOther = (file: string) => !file.startsWith('test/pods/');
  const others = files.some(isOther) ? [imageReference('wait-for')] : [];
  return [...new Set([...found, ...others])];
}

/**
 * Runs every Pod: three representative ones as an ordinary user if this machine lets one run Pods,
 * all others as the user who runs the tests.
 */
export async function testPodsOfBoth(engine: ContainerEngine): Promise<number> {
  const root = process.getuid?.() === 0;
  const asUser = AS_USER.map((name) => `test/pods/${name}.test.ts`);
  const code = root ? await testAsUser(engine, asUser) : undefined;
  if (code === undefined) return main([]);
  const others = podTests()
    .filter((file) => !asUser.includes(file))
    .map((file) => basename(file, '.test.ts'));
  return Math.max(code, await main(others));
}

/** The order of everything in a Pod's life, by Pods of the toolbox; the images are there already. */
export function testLifecycle(engine: string): Promise<number> {
  heading(`Lifecycle (${engine})`);
  return runTests(lifecycleTests(), { concurrency: 3, env: { POD_ENGINE: engine } });
}

/** Lists the tests of the lifecycle, the longest first. */
export function lifecycleTests(): string[] {
  const others = globSync('test/lifecycle/*.test.ts').filter((file) => file !== LONGEST);
  return [LONGEST, ...others.toSorted()];
}
