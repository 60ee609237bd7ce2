/**
 * `npm run kind`: a kind cluster with a pinned node image, the project's images loaded, the Pod
 * and lifecycle suites on it, evidence on failure, and the cluster deleted whatever happened.
 * `-- --kubernetes 1.36|1.35|1.34`, `--engine docker|podman`, `--keep`.
 */
import { parseArgs } from 'node:util';
import { buildImages, imageReference } from '../images/build.ts';
import { IMAGES } from '../images/catalog.ts';
import { findEngine } from './support/engine.ts';
import { KindCluster, NODE_IMAGES } from './support/kind-cluster.ts';
import { dim, heading, step } from './support/output.ts';
import { succeeds } from './support/run.ts';
import { testLifecycle, main as testPods } from './test-pods.ts';

const NEEDED: readonly (readonly [command: string, args: string[], where: string])[] = [
  ['kind', ['version'], 'https://kind.sigs.k8s.io (0.32 or newer)'],
  ['kubectl', ['version', '--client'], 'https://kubernetes.io/docs/tasks/tools'],
];

export async function main(args: readonly string[]): Promise<number> {
  const minors = Object.keys(NODE_IMAGES);
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubernetes: { type: 'string', default: minors[0] ?? '' },
      engine: { type: 'string' },
      keep: { type: 'boolean' },
    },
  });
  const nodeImage = NODE_IMAGES[values.kubernetes];
  if (nodeImage === undefined) {
    console.error(`--kubernetes ${values.kubernetes} has no pinned node: use ${minors.join(', ')}`);
    return 64;
  }
  const missing: string[] = [];
  for (const [command, words, where] of NEEDED) {
    if (!(await succeeds(command, words))) missing.push(`${command}: ${where}`);
  }
  if (missing.length > 0) throw new Error(`install what is missing:\n  ${missing.join('\n  ')}`);

  const engine = await findEngine(values.engine);
  heading(`Images (${engine.name})`);
  await buildImages(engine);
  heading(`kind (Kubernetes ${values.kubernetes})`);
  const cluster = new KindCluster(engine.name);
  // Ctrl-C reaches the suite too, which ends; what follows here then still deletes the cluster.
  const outlive = () => {};
  process.on('SIGINT', outlive).on('SIGTERM', outlive);
  let code = 1;
  try {
    await step('create the cluster', () => cluster.create(nodeImage));
    const references = IMAGES.map(({ name }) => imageReference(name));
    await step('load the images', () => cluster.load(references));
    Object.assign(process.env, { POD_ENGINE: 'kube', KUBECONFIG: cluster.kubeconfig });
    // Both, whatever the first says.
    const codes = [await testPods([]), await testLifecycle('kube')];
    code = Math.max(...codes);
    return code;
  } finally {
    if (code !== 0) {
      await step(`save logs and events in ${cluster.evidence}`, () => cluster.saveEvidence());
    }
    if (values.keep) console.log(dim(`  kept: KUBECONFIG=${cluster.kubeconfig} kubectl get pods`));
    else await step('delete the cluster', () => cluster.delete());
    process.off('SIGINT', outlive).off('SIGTERM', outlive);
  }
}
