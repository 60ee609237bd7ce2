import { readFileSync } from 'node:fs';
import type { KindCluster } from './kind-cluster.ts';
import { dim, step } from './output.ts';

export interface ClusterRun {
  readonly nodeImage: string;
  /** The images that the suite's Pods use. */
  readonly images: readonly string[];
  /** Leaves the cluster there, for looking at it. */
  readonly keep: boolean;
}

/**
 * Makes the cluster, runs the suite on it, saves evidence where something failed, and deletes the
 * cluster whatever happened: a failure of any step, Ctrl-C, SIGTERM.
 * @returns the suite's exit code, or 130 or 143 where a signal ended it.
 */
export async function onCluster(
  cluster: KindCluster,
  { nodeImage, images, keep }: ClusterRun,
  suite: () => Promise<number>,
): Promise<number> {
  let interrupted: NodeJS.Signals | undefined;
  let ending = false;
  const interrupt = (signal: NodeJS.Signals) => {
    if (ending) return console.log('  the cluster is being deleted, one moment');
    interrupted ??= signal;
    // A terminal's Ctrl-C has reached them already; a SIGTERM came to this process alone.
    for (const pid of children()) terminate(pid);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const unlessInterrupted = async (text: string, work: () => Promise<void>) => {
    if (!interrupted) await step(text, work);
  };
  let code = 1;
  try {
    await unlessInterrupted('create the cluster', () => cluster.create(nodeImage));
    await unlessInterrupted('load the images', () => cluster.load(images));
    if (!interrupted) code = await suite();
  } catch (error) {
    if (!interrupted) throw error;
  } finally {
    ending = true;
    if (code !== 0 && !interrupted) {
      await step(`save logs and events in ${cluster.evidence}`, () => cluster.saveEvidence());
    }
    if (keep) console.log(dim(`  kept: KUBECONFIG=${cluster.kubeconfig} kubectl get pods -A`));
    else await step('delete the cluster', () => cluster.delete());
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  return interrupted === undefined ? code : interrupted === 'SIGINT' ? 130 : 143;
}

/** The processes that this one started, where the system says (Linux). */
function children(): number[] {
  try {
    const path = `/proc/${process.pid}/task/${process.pid}/children`;
    return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function terminate(pid: number) {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {}
}
