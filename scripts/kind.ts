/**
 * `npm run kind`: a kind cluster with a pinned node image, the project's images loaded, the
 * Pod, component and lifecycle suites and the documentation's commands on it, evidence on failure,
 * and the cluster deleted whatever happened.
 * `-- --kubernetes 1.36|1.35|1.34`, or `--node-image IMAGE`; `--config FILE` of kind;
 * `--engine docker|podman`; `--keep`; `--demo` runs every Pod of manifests/pods, shows what each did,
 * and keeps the cluster.
 */
import { parseArgs } from 'node:util';
import { IMAGES } from '../images/catalog.ts';
import { demoNames, demonstrate } from './support/demo/demo.ts';
import { kubeTarget } from './support/demo/kube-target.ts';
import { findEngine } from './support/engine.ts';
import { buildImages, imageReference } from './support/images/build.ts';
import { KindCluster, NODE_IMAGES } from './support/kind-cluster.ts';
import { onCluster } from './support/on-cluster.ts';
import { heading } from './support/output.ts';
import { succeeds } from './support/run.ts';
import { Usage } from './support/usage.ts';
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
      demo: { type: 'boolean' },
      'node-image': { type: 'string' },
      config: { type: 'string' },
    },
  });
  const nodeImage = values['node-image'] ?? NODE_IMAGES[values.kubernetes];
  if (nodeImage === undefined) {
    throw new Usage(
      `--kubernetes ${values.kubernetes} has no pinned node: use ${minors.join(', ')}, or --node-image`,
    );
  }
  const missing: string[] = [];
  for (const [command, words, where] of NEEDED) {
    if (!(await succeeds(command, words))) missing.push(`${command}: ${where}`);
  }
  if (missing.length > 0) throw new Error(`install what is missing:\n  ${missing.join('\n  ')}`);

  const engine = await findEngine(values.engine);
  heading(`Images (${engine.name})`);
  await buildImages(engine);
  heading(`kind (${values['node-image'] ?? `Kubernetes ${values.kubernetes}`})`);
  const cluster = new KindCluster({
    engine: engine.name,
    runFlags: engine.runFlags,
    config: values.config,
  });
  const images = IMAGES.map(({ name }) => imageReference(name));
  const keep = values.keep ?? values.demo ?? false;
  return onCluster(cluster, { nodeImage, images, keep }, async (signal) => {
    Object.assign(process.env, { POD_ENGINE: 'kube', KUBECONFIG: cluster.kubeconfig });
    if (values.demo) return demonstrate(demoNames(), kubeTarget(), { keep: true, signal });
    const suites = [
      () => testPods([]),
      testComponents,
      () => testLifecycle('kube'),
      () => testDocs([]),
    ];
    // All of them, whatever the first says.
    let code = 0;
    for (const suite of suites) if (!signal.aborted) code = Math.max(code, await suite());
    return code;
  });
}
