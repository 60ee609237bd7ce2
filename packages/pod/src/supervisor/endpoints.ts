import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PodObject } from '../manifest/types.ts';
import type { PodService } from '../store/record.ts';

/** The addresses of one Pod of a Service: for other Pods, and for this machine by target port. */
export interface Endpoint {
  readonly pod: string;
  readonly address: string;
  readonly fromHost: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
}

/**
 * The Pods that get a Service's traffic: a folder a Service, a file a Pod. Supervisors of several
 * `up`s share it without talking to each other.
 */
export class Endpoints {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Adds a Pod to its Service, or removes it. */
  set(service: PodService, pod: string, endpoint: Endpoint | undefined): void {
    const folder = join(this.directory, folderName(service));
    if (endpoint === undefined) {
      rmSync(join(folder, pod), { force: true });
      removeEmpty(folder);
      this.#touch();
      return;
    }
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // A Pod's name may be as long as that of a file.
    const temporary = join(folder, `.${process.pid}.new`);
    writeFileSync(temporary, JSON.stringify(endpoint));
    renameSync(temporary, join(folder, pod));
    this.#touch();
  }

  of(service: Pick<PodService, 'name' | 'namespace'>): Endpoint[] {
    const folder = join(this.directory, folderName(service));
    return list(folder).flatMap((pod) => {
      try {
        return [JSON.parse(readFileSync(join(folder, pod), 'utf8')) as Endpoint];
      } catch {
        // Removed between the two calls.
        return [];
      }
    });
  }

  get services(): { name: string; namespace: string }[] {
    return list(this.directory).flatMap((folder) => {
      const [name, namespace] = folder.split('.');
      return name && namespace ? [{ name, namespace }] : [];
    });
  }

  /** Changes the one folder that everybody watches. */
  #touch() {
    writeFileSync(join(this.directory, '.changed'), '');
  }
}

/**
 * The Pod's /etc/hosts, as the kubelet writes it, with the names of Services added: a Service's
 * name leads to the Pods that get its traffic. The file is mounted, so it is changed in place.
 */
export function writeHosts(
  path: string,
  pod: PodObject,
  podIP: string,
  endpoints: Endpoints,
): void {
  const text = `${hostLines(pod, podIP, endpoints).join('\n')}\n`;
  // Written over and then cut: a reader never finds the file empty.
  const file = openSync(path, 'a+', 0o644);
  closeSync(file);
  if (readFileSync(path, 'utf8') === text) return;
  const open = openSync(path, 'r+');
  try {
    writeSync(open, text, 0);
    ftruncateSync(open, Buffer.byteLength(text));
  } finally {
    closeSync(open);
  }
}

function hostLines({ metadata, spec }: PodObject, podIP: string, endpoints: Endpoints): string[] {
  const { namespace } = metadata;
  const hostname = hostnameOf({ metadata, spec });
  const full = spec.subdomain
    ? [`${hostname}.${spec.subdomain}.${namespace}.svc.cluster.local`]
    : [];
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...(podIP ? [[podIP, ...full, hostname].join('\t')] : []),
    ...spec.hostAliases.map(({ ip, hostnames }) => [ip, ...hostnames].join('\t')),
    ...endpoints.services.flatMap((service) => serviceLines(service, namespace, endpoints)),
  ];
}

function serviceLines(
  service: { readonly name: string; readonly namespace: string },
  namespace: string,
  endpoints: Endpoints,
): string[] {
  const qualified = `${service.name}.${service.namespace}`;
  const names = [
    ...(service.namespace === namespace ? [service.name] : []),
    ...[qualified, `${qualified}.svc`, `${qualified}.svc.cluster.local`],
  ];
  return endpoints.of(service).flatMap(({ address, pod }) => {
    // A Pod of a headless Service has a name of its own under it.
    const own = names.map((name) => `${pod}.${name}`);
    return address ? [[address, ...names, ...own].join('\t')] : [];
  });
}

export function hostnameOf({ metadata, spec }: Pick<PodObject, 'metadata' | 'spec'>): string {
  return spec.hostname ?? metadata.name.slice(0, 63).replace(/[.-]+$/, '');
}

function folderName({ name, namespace }: Pick<PodService, 'name' | 'namespace'>): string {
  return `${name}.${namespace}`;
}

function removeEmpty(folder: string) {
  try {
    rmdirSync(folder);
  } catch {
    // Other Pods are in it.
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .toSorted();
  } catch {
    return [];
  }
}
