import type { Container, PodSpec } from './pod-spec.ts';

/** Millicores and bytes. */
export interface Request {
  readonly cpu: number;
  readonly memory: number;
}

/**
 * Returns what the scheduler reserves: the greater of what the start needs at most (each init
 * container with the sidecars started before it) and what all sidecars and main containers need
 * (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers).
 */
export function effectiveRequest({ initContainers = [], containers }: PodSpec): Request {
  let sidecars: Request = { cpu: 0, memory: 0 };
  let start = sidecars;
  for (const container of initContainers) {
    const needed = add(sidecars, requestOf(container));
    if (container.restartPolicy === 'Always') sidecars = needed;
    start = each(Math.max, start, needed);
  }
  return each(Math.max, start, containers.map(requestOf).reduce(add, sidecars));
}

/** `cpu=350m,memory=192Mi`, as the annotation of manifests/pods/resources.yaml says it. */
export function parseRequest(text: string): Request {
  const [, cpu, memory] = /^cpu=(\S+?),memory=(\S+)$/.exec(text) ?? [];
  return { cpu: millicores(cpu ?? ''), memory: bytes(memory ?? '') };
}

export function millicores(quantity: string): number {
  return quantity.endsWith('m') ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000;
}

export function bytes(quantity: string): number {
  const [, digits, unit = ''] = /^(\d+)(Ki|Mi|Gi)?$/.exec(quantity) ?? [];
  return Number(digits) * 1024 ** ['', 'Ki', 'Mi', 'Gi'].indexOf(unit);
}

function requestOf({ resources }: Container): Request {
  const { requests = {} } = resources as { requests?: { cpu?: string; memory?: string } };
  return { cpu: millicores(requests.cpu ?? '0'), memory: bytes(requests.memory ?? '0') };
}

function add(a: Request, b: Request): Request {
  return each((x, y) => x + y, a, b);
}

function each(combine: (x: number, y: number) => number, a: Request, b: Request): Request {
  return { cpu: combine(a.cpu, b.cpu), memory: combine(a.memory, b.memory) };
}
