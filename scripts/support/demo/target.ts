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
  /** Kills the process of a container with SIGKILL, if that can be done from outside. */
  kill?(pod: string, container: string): Promise<void>;
  /** Runs a program of Node in a container. */
  node?(pod: string, container: string, program: string): Promise<string>;
  /** Applies the text of a manifest over what runs, and waits as `up` does. */
  apply?(manifest: string): Promise<void>;
  /** Removes a Pod. */
  remove?(pod: string): Promise<void>;
}
