/**
 * `npm run kind`: a kind cluster with a pinned node image, the project's images loaded, the
 * Pod, component and lifecycle suites and the documentation's commands on it, evidence on failure,
 * and the cluster deleted whatever happened.
 * `-- --kubernetes 1.36|1.35|1.34`, `--engine docker|podman`, `--keep`.
 */
import { parseArgs } from 'node:util';
import { IMAGES } from '../images/catalog.ts';
import { findEngine } from './support/engine.ts';
import { buildImages, imageReference } from './support/images/build.ts';
import { KindCluster, NODE_IMAGES } from './support/kind-cluster.ts';
import { onCluster } from './support/on-cluster.ts';
import { heading } from './support/output.ts';
import { succeeds } from './support/run.ts';
import { main as testComponents } from './test-components.ts';
import { main as testDocs } from './test-docs.ts';
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
  const images = IMAGES.map(({ name }) => imageReference(name));
  return onCluster(cluster, { nodeImage, images, keep: values.keep ?? false }, async () => {
    Object.assign(process.env, { POD_ENGINE: 'kube', KUBECONFIG: cluster.kubeconfig });
    const suites = [
      () => testPods([]),
      testComponents,
      () => testLifecycle('kube'),
      () => testDocs([]),
    ];
    // All of them, whatever the first says.
    let code = 0;
    for (const suite of suites) code = Math.max(code, await suite());
    return code;
  });
}
