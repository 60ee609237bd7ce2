/** The place where the Pods of a demo run. */
export interface DemoTarget {
  /** Applies a manifest and waits until its Pods are Ready or have completed. */
  up(path: string): Promise<void>;
  /** Deletes the objects of a manifest. */
  down(path: string): Promise<void>;
  /** Returns the log of a container of the Pod, or of one that the workload of that name made. */
  logs(pod: string, container: string): Promise<string>;
  /** Returns the logs of all its containers. */
  allLogs(pod: string): Promise<string>;
  /** Returns the body of a response of the Pod. */
  get(pod: string, port: number, path: string): Promise<string>;
  /** Kills the process of a container with SIGKILL, if that can be done from outside. */
  kill?(pod: string, container: string): Promise<void>;
  /** Applies the text of a manifest over what runs. */
  apply?(manifest: string): Promise<void>;
}
