/** The resources that a container has used, as its control group counts them. */
export interface ContainerStats {
  /** Seconds of CPU since its start, of all its processes. */
  readonly cpuSeconds: number;
  /** Bytes of memory without the file cache that the kernel can drop: the kubelet's working set. */
  readonly memoryBytes: number;
}

/** Reads `GET /containers/ID/stats` of either engine; undefined if the container does not run. */
export function readStats(answer: unknown): ContainerStats | undefined {
  const { cpu_stats: cpu, memory_stats: memory } = (answer ?? {}) as Answer;
  const nanoseconds = cpu?.cpu_usage?.total_usage;
  const { usage, stats } = memory ?? {};
  if (nanoseconds === undefined || usage === undefined) return undefined;
  // cgroup v1 and v2 name it differently; Podman leaves it out.
  const cache = stats?.total_inactive_file ?? stats?.inactive_file ?? 0;
  return { cpuSeconds: nanoseconds / 1e9, memoryBytes: Math.max(0, usage - cache) };
}

interface Answer {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: { readonly total_inactive_file?: number; readonly inactive_file?: number };
  };
}
