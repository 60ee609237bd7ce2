import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PodObject } from '../manifest/types.ts';

/**
 * The Pod's /etc/hosts, as the kubelet writes it, with the names of Services added: a Service's
 * name leads to its Ready Pods. The file is mounted, so it is changed in place.
 */
export function writeHosts(path: string, pod: PodObject, podIP: string, endpoints: string): void {
  const { hostname = pod.metadata.name, hostAliases = [] } = pod.spec;
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...(podIP ? [`${podIP}\t${hostname}`] : []),
    ...hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`),
    ...serviceLines(endpoints, pod.metadata.namespace),
  ];
  const text = `${lines.join('\n')}\n`;
  const fd = openSync(path, 'a+', 0o644);
  closeSync(fd);
  if (readFileSync(path, 'utf8') === text) return;
  // Written over and then cut: a reader never finds the file empty.
  const file = openSync(path, 'r+');
  try {
    writeSync(file, text, 0);
    ftruncateSync(file, Buffer.byteLength(text));
  } finally {
    closeSync(file);
  }
}

function serviceLines(endpoints: string, namespace: string): string[] {
  return list(endpoints).flatMap((service) => {
    const names = [
      service,
      `${service}.${namespace}`,
      `${service}.${namespace}.svc`,
      `${service}.${namespace}.svc.cluster.local`,
    ];
    return list(join(endpoints, service)).map((pod) => {
      const address = readFileSync(join(endpoints, service, pod), 'utf8').trim();
      return `${address}\t${names.join('\t')}`;
    });
  });
}

/** Makes a Pod findable under its Services' names, or no longer. */
export function setEndpoint(
  endpoints: string,
  services: readonly string[],
  pod: string,
  address: string | undefined,
): void {
  for (const service of services) {
    const directory = join(endpoints, service);
    if (address === undefined) {
      rmSync(join(directory, pod), { force: true });
      if (list(directory).length === 0) rmSync(directory, { recursive: true, force: true });
    } else {
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, pod), `${address}\n`);
    }
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return [];
  }
}
