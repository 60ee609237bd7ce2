import type {
  ConfigMap,
  Container,
  KubernetesObject,
  Pod,
  Probe,
  Secret,
  Service,
  Volume,
} from './kubernetes.ts';
import { expand, literal } from './variables.ts';

/** The annotation in which a manifest says what its Pod shows, and through which port. */
const SHOWS = 'sidekit.dev/shows';

/** A part of a compose file, and the files that its services mount. */
export interface ComposeParts {
  readonly services: Record<string, Record<string, unknown>>;
  readonly volumes: Record<string, Record<string, unknown>>;
  /** Text by path. */
  readonly files: Record<string, string>;
}

/**
 * Translates one manifest into services of one profile. A Pod becomes a pause service, which owns
 * its network, IPC namespace and name, and a service a container.
 * @param filesRoot where the files of configMap and downwardAPI volumes go.
 * @throws Error naming the field that compose cannot say.
 */
export function translate(
  objects: readonly KubernetesObject[],
  profile: string,
  pauseImage: string,
  filesRoot: string,
): ComposeParts {
  const parts: ComposeParts = { services: {}, volumes: {}, files: {} };
  for (const object of objects) {
    if (object.kind === 'Pod') addPod(parts, object, objects, profile, pauseImage, filesRoot);
    else if (!['ConfigMap', 'Secret', 'Service'].includes(object.kind))
      throw new Error(`${object.kind} cannot be said in a compose file`);
  }
  return parts;
}

function addPod(
  parts: ComposeParts,
  pod: Pod,
  objects: readonly KubernetesObject[],
  profile: string,
  pauseImage: string,
  filesRoot: string,
) {
  const { metadata, spec } = pod;
  const { runAsUser, runAsGroup = runAsUser } = spec.securityContext ?? {};
  const user = runAsUser === undefined ? {} : { user: `${runAsUser}:${runAsGroup}` };
  const sources = new Map<string, string>();
  for (const volume of spec.volumes ?? []) {
    sources.set(volume.name, addVolume(parts, pod, volume, objects, filesRoot));
  }
  const aliases = objects
    .filter((object): object is Service => object.kind === 'Service' && selects(object, pod))
    .map((service) => service.metadata.name)
    .filter((name) => name !== metadata.name);
  const ports = publishedPorts(pod);
  parts.services[metadata.name] = {
    image: pauseImage,
    profiles: [profile],
    // What shares its network shares its host name, which in a Pod is the Pod's.
    hostname: metadata.name,
    command: ['file:/never', '--timeout=0', '--interval=1h', '--quiet'],
    ipc: 'shareable',
    ...user,
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    // Any free port of this machine: `docker compose port` says which.
    ...(ports.length > 0 ? { ports: ports.map((port) => `127.0.0.1::${port}`) } : {}),
    ...(aliases.length > 0 ? { networks: { default: { aliases } } } : {}),
    // Keeps the Pod's volumes as long as the Pod.
    ...(sources.size > 0
      ? { volumes: [...sources].map(([name, source]) => `${source}:/sidekit/${name}:ro`) }
      : {}),
  };
  const after: Record<string, { condition: string }> = {
    [metadata.name]: { condition: 'service_started' },
  };
  const policy = spec.restartPolicy ?? 'Always';
  const add = (container: Container, restart: string) => {
    const name = `${metadata.name}-${container.name}`;
    parts.services[name] = {
      ...containerService(container, sources, pod),
      ...user,
      profiles: [profile],
      network_mode: `service:${metadata.name}`,
      ipc: `service:${metadata.name}`,
      ...(spec.shareProcessNamespace ? { pid: `service:${metadata.name}` } : {}),
      restart,
      depends_on: { ...after },
    };
    return name;
  };
  for (const container of spec.initContainers ?? []) {
    const sidecar = container.restartPolicy === 'Always';
    const name = add(container, sidecar ? 'always' : policy === 'Never' ? 'no' : 'on-failure');
    const started = container.startupProbe ? 'service_healthy' : 'service_started';
    after[name] = { condition: sidecar ? started : 'service_completed_successfully' };
  }
  const restart = { Always: 'always', OnFailure: 'on-failure', Never: 'no' }[policy];
  for (const container of spec.containers) add(container, restart);
}

/** Returns the declared ports of containers and sidecars, without admin ports, and those shown. */
function publishedPorts({ metadata, spec }: Pod): number[] {
  const sidecars = (spec.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === 'Always',
  );
  const declared = [...sidecars, ...spec.containers]
    .flatMap(({ ports = [] }) => ports)
    .filter(({ name }) => !name?.startsWith('admin'))
    .map(({ containerPort }) => containerPort);
  const shown = [...(metadata.annotations?.[SHOWS] ?? '').matchAll(/^GET (\d+)/gm)];
  return [...new Set([...declared, ...shown.map(([, port]) => Number(port))])];
}

function selects(service: Service, pod: Pod): boolean {
  const selector = Object.entries(service.spec.selector ?? {});
  return (
    selector.length > 0 && selector.every(([key, value]) => pod.metadata.labels?.[key] === value)
  );
}

function containerService(container: Container, sources: Map<string, string>, pod: Pod) {
  const { securityContext: security = {}, resources, startupProbe, readinessProbe } = container;
  // Compose has one probe: that which others wait for, else that which says whether it serves.
  const probe = startupProbe ?? readinessProbe;
  const memory = resources?.limits?.memory;
  const mounts = (container.volumeMounts ?? []).map(
    ({ name, mountPath, readOnly }) => `${sources.get(name)}:${mountPath}${readOnly ? ':ro' : ''}`,
  );
  const variables = new Map<string, string>();
  for (const { name, value, valueFrom } of container.env ?? []) {
    const text = value === undefined ? undefined : expand(value, variables);
    variables.set(name, text ?? field(pod, valueFrom?.fieldRef?.fieldPath, `env ${name}`));
  }
  const environment = [...variables].map(([name, value]) => `${name}=${literal(value)}`);
  const words = (list: readonly string[]) => list.map((word) => literal(expand(word, variables)));
  return {
    image: container.image,
    ...(container.command ? { entrypoint: words(container.command) } : {}),
    ...(container.args ? { command: words(container.args) } : {}),
    ...(environment.length > 0 ? { environment } : {}),
    ...(security.readOnlyRootFilesystem ? { read_only: true } : {}),
    ...(security.capabilities?.drop ? { cap_drop: [...security.capabilities.drop] } : {}),
    ...(security.allowPrivilegeEscalation === false
      ? { security_opt: ['no-new-privileges:true'] }
      : {}),
    ...(memory === undefined ? {} : { mem_limit: binarySize(memory) }),
    ...(mounts.length > 0 ? { volumes: mounts } : {}),
    ...(probe ? { healthcheck: healthcheck(probe, container) } : {}),
  };
}

/** A probe from inside the container: our images have no shell, and Node is in each. */
function healthcheck(probe: Probe, container: Container) {
  let test: string[];
  if (probe.exec) {
    test = ['CMD', ...probe.exec.command.map(literal)];
  } else if (probe.httpGet) {
    const { path, port: named } = probe.httpGet;
    const port = container.ports?.find(({ name }) => name === named)?.containerPort ?? named;
    const url = `http://127.0.0.1:${port}${path}`;
    test = ['CMD', '/nodejs/bin/node', '-e', `fetch('${url}').then((r)=>process.exit(r.ok?0:1))`];
  } else if (probe.grpc) {
    test = ['CMD', '/nodejs/bin/node', '-e', grpcCheck(probe.grpc.port, probe.grpc.service ?? '')];
  } else {
    throw new Error(`${container.name}: this kind of probe cannot be said in compose`);
  }
  const { periodSeconds = 10, failureThreshold = 3 } = probe;
  return { test, interval: `${periodSeconds}s`, timeout: '5s', retries: failureThreshold };
}

/** Returns a script that asks for the health of a service (`grpc.health.v1`). */
function grpcCheck(port: number, service: string): string {
  const message = service === '' ? '' : `\n${String.fromCharCode(service.length)}${service}`;
  const request = Buffer.from(`\0\0\0\0${String.fromCharCode(message.length)}${message}`);
  const head = `{':method':'POST',':path':'/grpc.health.v1.Health/Check','content-type':'application/grpc',te:'trailers'}`;
  return [
    `const session=require('http2').connect('http://127.0.0.1:${port}').on('error',()=>process.exit(1))`,
    `const call=session.request(${head})`,
    `let body=''`,
    `call.on('data',(bytes)=>body+=bytes.toString('hex')).on('close',()=>process.exit(body.endsWith('0801')?0:1))`,
    `call.end(Buffer.from('${request.toString('hex')}','hex'))`,
  ].join(';');
}

/** Adds a volume and returns what a mount names: a volume, or a directory of this repository. */
function addVolume(
  parts: ComposeParts,
  pod: Pod,
  volume: Volume,
  objects: readonly KubernetesObject[],
  filesRoot: string,
): string {
  const { name } = pod.metadata;
  const directory = `${filesRoot}/${name}/${volume.name}`;
  if (volume.emptyDir) {
    const { runAsUser = 0, runAsGroup = runAsUser } = pod.spec.securityContext ?? {};
    const size = binarySize(volume.emptyDir.sizeLimit ?? '64Mi');
    const o = `size=${size},uid=${runAsUser},gid=${runAsGroup},mode=0770`;
    parts.volumes[`${name}-${volume.name}`] = {
      driver_opts: { type: 'tmpfs', device: 'tmpfs', o },
    };
    return `${name}-${volume.name}`;
  }
  if (volume.configMap) {
    const wanted = volume.configMap.name;
    const found = objects.find(
      (object): object is ConfigMap =>
        object.kind === 'ConfigMap' && object.metadata.name === wanted,
    );
    if (!found) throw new Error(`volume ${volume.name}: no ConfigMap ${wanted} in the manifest`);
    for (const [key, text] of Object.entries(found.data ?? {})) {
      parts.files[`${directory}/${key}`] = text;
    }
    return `./${directory}`;
  }
  if (volume.secret) {
    const wanted = volume.secret.secretName;
    const found = objects.find(
      (object): object is Secret => object.kind === 'Secret' && object.metadata.name === wanted,
    );
    if (!found) throw new Error(`volume ${volume.name}: no Secret ${wanted} in the manifest`);
    for (const [key, text] of Object.entries(found.data ?? {})) {
      parts.files[`${directory}/${key}`] = Buffer.from(text, 'base64').toString();
    }
    for (const [key, text] of Object.entries(found.stringData ?? {})) {
      parts.files[`${directory}/${key}`] = text;
    }
    return `./${directory}`;
  }
  if (volume.downwardAPI) {
    for (const { path, fieldRef } of volume.downwardAPI.items) {
      parts.files[`${directory}/${path}`] = field(
        pod,
        fieldRef?.fieldPath,
        `volume ${volume.name}`,
      );
    }
    return `./${directory}`;
  }
  throw new Error(
    `volume ${volume.name}: only emptyDir, configMap, secret and downwardAPI can be said`,
  );
}

/** A field of the downward API that is known before the Pod runs. */
function field(pod: Pod, path: string | undefined, where: string): string {
  const { name, labels = {}, annotations = {} } = pod.metadata;
  const lines = (entries: Readonly<Record<string, string>>) =>
    Object.entries(entries)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join('\n');
  if (path === 'metadata.name') return name;
  if (path === 'metadata.namespace') return 'default';
  if (path === 'metadata.labels') return lines(labels);
  if (path === 'metadata.annotations') return lines(annotations);
  throw new Error(`${where}: ${path ?? 'this source'} cannot be said in a compose file`);
}

/** Kubernetes' 64Mi is compose's 64m. */
function binarySize(quantity: string): string {
  const [, digits, unit] = /^(\d+)([KMG]i)$/.exec(quantity) ?? [];
  if (!digits || !unit) throw new Error(`size ${quantity}: write it in Ki, Mi or Gi`);
  return digits + unit.charAt(0).toLowerCase();
}
