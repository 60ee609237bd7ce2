import { Interruption } from './interruption.ts';
import type { KindCluster } from './kind-cluster.ts';
import { dim, step } from './output.ts';

export interface ClusterRun {
  readonly nodeImage: string;
  /** The images that the suite's Pods use. */
  readonly images: readonly string[];
  /** Keeps the cluster. */
  readonly keep: boolean;
}

/**
 * Makes the cluster, runs the suite on it, saves evidence if something failed, and deletes the
 * cluster whatever happened: a failure of any step, Ctrl-C, SIGTERM.
 * @returns the suite's exit code, or 130 or 143 if a signal ended it.
 */
export async function onCluster(
  cluster: KindCluster,
  { nodeImage, images, keep }: ClusterRun,
  suite: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  using interruption = new Interruption();
  const { signal } = interruption;
  const unlessInterrupted = async (text: string, work: () => Promise<void>) => {
    if (!signal.aborted) await step(text, work);
  };
  let code = 1;
  let created = false;
  try {
    await unlessInterrupted('create the cluster', () => cluster.create(nodeImage));
    created = true;
    await unlessInterrupted('load the images', () => cluster.load(images));
    if (!signal.aborted) code = await suite(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    interruption.cleanup = 'the cluster is being deleted, one moment';
    if (code !== 0 && !signal.aborted) {
      await step(`save logs and events in ${cluster.evidence}`, () => cluster.saveEvidence());
    }
    if (keep && created) {
      console.log(dim(`  kept: KUBECONFIG=${cluster.kubeconfig} kubectl get pods -A`));
      console.log(dim(`  delete it: ${cluster.deletion}`));
    } else await step('delete the cluster', () => cluster.delete());
  }
  return interruption.exitCode ?? code;
}
