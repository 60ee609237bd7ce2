/** The place where the Pods of a demo run. */
export interface DemoTarget {
  /** Applies a manifest and waits until its Pods are Ready or have completed. */
  up(path: string): Promise<void>;
  /** Deletes the objects of a manifest. */
  down(path: string): Promise<void>;
  /**
   * Returns the log of a container of the Pod, or of one that the workload of that name made.
   * @param previous the log of its run before the last.
   */
  logs(pod: string, container: string, previous?: boolean): Promise<string>;
  /** Returns the logs of all its containers. */
  allLogs(pod: string): Promise<string>;
  /** Returns the body of a response of the Pod. */
  get(pod: string, port: number, path: string): Promise<string>;
}

/** A target on which faults can be caused from outside. */
export interface StageTarget extends DemoTarget {
  /** Aborts when the demo is interrupted. */
  readonly signal: AbortSignal;
  /** Kills the process of a container with SIGKILL. */
  kill(pod: string, container: string): Promise<void>;
  /** Runs a program of Node in a container. @throws {CommandError} with its exit code. */
  node(pod: string, container: string, program: string): Promise<string>;
  /** Applies the text of a manifest over what runs, and waits as `up` does. */
  apply(manifest: string): Promise<void>;
  /** Applies the text of a manifest and does not wait for its Pods. */
  begin(manifest: string): Promise<void>;
  /** Removes a Pod. */
  remove(pod: string): Promise<void>;
  /** Returns how often a container was started again. */
  restarts(pod: string, container: string): Promise<number>;
}

export function isStage(target: DemoTarget): target is StageTarget {
  return 'kill' in target;
}
