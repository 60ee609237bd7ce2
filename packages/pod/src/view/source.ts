import type { LogLine, PodsMessage, Sample } from './model.ts';

/** A place where Pods run, for the page: the runner of this machine, or a cluster. */
export interface PodSource {
  /** Calls back with all Pods, and then with every change; returns the function that ends it. */
  watch(onChange: (message: PodsMessage) => void): () => void;
  /** Follows the logs of a Pod from their last lines on; returns the function that ends it. */
  followLogs(pod: string, onLine: (line: LogLine) => void): () => void;
  /** Reads what the Pod's containers and sidecars measure now. */
  sample(pod: string): Promise<readonly Sample[]>;
  close(): void;
}
