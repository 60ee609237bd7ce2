import type { PodStatusObject } from '../../lifecycle/status.ts';
import { parseMetrics } from '../metrics.ts';
import type { Sample } from '../model.ts';
import type { KubeApi } from './api.ts';

/** The most that is read of a sidecar's metrics, and of a node's summary, in bytes. */
const METRICS_LIMIT = 1024 * 1024;
const SUMMARY_LIMIT = 16 * 1024 * 1024;
/** How long either may take, in milliseconds. */
const TIMEOUT = 2000;

interface Summary {
  readonly pods?: readonly {
    readonly podRef?: { readonly uid?: string };
    readonly containers?: readonly {
      readonly name: string;
      readonly cpu?: { readonly usageCoreNanoSeconds?: number };
      readonly memory?: { readonly workingSetBytes?: number };
    }[];
  }[];
}

/** Reads what the containers of a Pod whose admin ports are named `admin…` measure now. */
export function measured(api: KubeApi, path: string, pod: PodStatusObject): Promise<Sample[]> {
  const { initContainers, containers } = pod.spec;
  const admin = [...initContainers, ...containers].flatMap(({ name, ports }) =>
    ports
      .filter(({ name: port }) => port?.startsWith('admin'))
      .map(({ containerPort }) => ({ name, containerPort })),
  );
  return Promise.all(
    admin.map(async ({ name, containerPort }) => {
      const options = { accept: 'text/plain', limit: METRICS_LIMIT, timeout: TIMEOUT };
      const page = `${path}:${containerPort}/proxy/metrics`;
      return {
        container: name,
        values: parseMetrics(await api.read(page, options).catch(() => '')),
      };
    }),
  );
}

/**
 * Reads the CPU and memory of a Pod's containers as its node's kubelet counts them (Summary API).
 * A user who may not read the node gets none.
 */
export async function used(api: KubeApi, { metadata, spec }: PodStatusObject): Promise<Sample[]> {
  const { nodeName } = spec as { readonly nodeName?: string };
  if (nodeName === undefined) return [];
  const path = `/api/v1/nodes/${nodeName}/proxy/stats/summary?only_cpu_and_memory=true`;
  try {
    const text = await api.read(path, { limit: SUMMARY_LIMIT, timeout: TIMEOUT });
    const { pods = [] } = JSON.parse(text) as Summary;
    const containers = pods.find(({ podRef }) => podRef?.uid === metadata.uid)?.containers ?? [];
    return containers.map(({ name, cpu, memory }) => ({
      container: name,
      values: {
        ...(cpu?.usageCoreNanoSeconds === undefined
          ? {}
          : { cpuSeconds: cpu.usageCoreNanoSeconds / 1e9 }),
        ...(memory?.workingSetBytes === undefined ? {} : { memoryBytes: memory.workingSetBytes }),
      },
    }));
  } catch {
    return [];
  }
}
