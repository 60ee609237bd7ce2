import { ExitCode, ExpectedError } from '@sidekit/core/tool';
import type { ControllerRef } from '../manifest/types.ts';
import type { PodFolder } from '../store/folder.ts';
import type { PodStore } from '../store/store.ts';

/** Kinds as kubectl abbreviates them. */
const KINDS: Readonly<Record<string, string>> = {
  po: 'pod',
  deploy: 'deployment',
  rs: 'replicaset',
  rc: 'replicationcontroller',
  sts: 'statefulset',
  ds: 'daemonset',
};

/** Returns the Pods of controllers. */
export function podsOf(store: PodStore, controllers: readonly ControllerRef[]): PodFolder[] {
  return owned(store).filter(({ record: { pod } }) =>
    controllers.some(
      ({ kind, namespace, name }) =>
        pod.owner?.kind === kind && pod.owner.name === name && pod.metadata.namespace === namespace,
    ),
  );
}

/**
 * Finds the Pods that a word of the command line names: a Pod (`web-x7k2b`, `pod/web`), or a
 * workload by its name alone or with its kind (`web`, `deploy/web`).
 * @throws {ExpectedError} if there is none, naming the Pods that exist.
 */
export function selectPods(store: PodStore, word: string): PodFolder[] {
  const found = findPods(store, word);
  if (found.length > 0) return found;
  const all = store.pods.map(({ name }) => name).join(', ');
  throw new ExpectedError(
    `no Pod ${word}: ${all ? `there are ${all}` : 'there is none; start one with pod up FILE'}`,
    ExitCode.usage,
  );
}

/** As `selectPods`, for commands about one Pod: of several the first that has not ended. */
export function selectPod(store: PodStore, word: string): PodFolder {
  const found = selectPods(store, word);
  const [first] = found;
  const running = found.find(({ status }) => status?.status.phase === 'Running');
  if (!first) throw new Error('selectPods returns at least one');
  return running ?? first;
}

export function findPods(store: PodStore, word: string): PodFolder[] {
  const [before = '', after] = word.split('/', 2);
  const kind = after === undefined ? undefined : (KINDS[before] ?? before.toLowerCase());
  const name = after ?? before;
  if (kind === undefined || kind === 'pod' || kind === 'pods') {
    const pods = store.pods.filter((pod) => pod.name === name);
    if (pods.length > 0 || kind !== undefined) return pods;
  }
  const singular = kind?.replace(/s$/, '');
  return owned(store).filter(({ record: { pod } }) => {
    const owner = pod.owner?.kind.toLowerCase().replace(/s$/, '');
    return pod.owner?.name === name && (singular === undefined || owner === singular);
  });
}

function owned(store: PodStore): PodFolder[] {
  return store.pods.filter((folder) => folder.exists && folder.record.pod.owner !== undefined);
}
