import type { PodsMessage, PodView } from '../src/view/model.ts';

export interface PodsState {
  readonly connected: boolean;
  readonly pods: ReadonlyMap<string, PodView>;
  /** Why nothing new arrives, as the server says it. */
  readonly problem?: string | undefined;
}

/** Follows the server's Pods; the browser reconnects by itself. Returns the function that ends it. */
export function followPods(onState: (state: PodsState) => void): () => void {
  let pods = new Map<string, PodView>();
  const source = new EventSource('pods');
  let fresh = true;
  source.onopen = () => {
    fresh = true;
    onState({ connected: true, pods });
  };
  source.onerror = () => onState({ connected: false, pods });
  source.onmessage = ({ data }) => {
    const { changed, removed, problem }: PodsMessage = JSON.parse(data);
    // The first message after a connection holds all Pods.
    pods = new Map(fresh ? [] : pods);
    fresh = false;
    for (const pod of changed) pods.set(pod.name, pod);
    for (const name of removed) pods.delete(name);
    onState({ connected: true, pods, problem });
  };
  return () => source.close();
}
