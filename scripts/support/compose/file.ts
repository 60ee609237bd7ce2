import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubernetesObject, Pod, PodSpec } from './kubernetes.ts';
import { type ComposeParts, translate } from './translate.ts';

export const COMPOSE_FILE = 'docker-compose.yml';
/** The directory of the files that configMap and downwardAPI volumes hold. */
export const FILES_ROOT = 'manifests/compose';

const HEADER = `# Every Pod of manifests/pods as a profile, without a cluster: made by \`npm run compose\`.
#
#   npm run images -- --engine docker
#   docker compose --profile message-queue up
#   docker compose --profile message-queue down --volumes
#
# The service named like the Pod holds its network, IPC namespace and volumes, as a Pod's pause
# container does. Compose has one probe, no grace by order and no restart back-off as a kubelet:
# for those run \`npx pod up manifests/pods/<name>.yaml\`.
`;

/** The compose file and the files beside it, by path, as they should be. */
export function composeFiles(version: string): Record<string, string> {
  const all: ComposeParts = { services: {}, volumes: {}, files: {} };
  for (const path of globSync('manifests/pods/*.yaml').toSorted()) {
    try {
      merge(all, translate(read(path), basename(path, '.yaml'), pause(version), FILES_ROOT));
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  const { services, volumes, files } = all;
  // Older readers take YAML 1.1, where a plain no is a boolean.
  const options = { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 } as const;
  const body = Object.keys(volumes).length > 0 ? { services, volumes } : { services };
  return { [COMPOSE_FILE]: `${HEADER}${stringify(body, options)}`, ...files };
}

function pause(version: string): string {
  return `sidekit/wait-for:${version}`;
}

interface Workload {
  readonly kind: string;
  readonly metadata: Pod['metadata'];
  readonly spec: { readonly template?: { readonly metadata?: object; readonly spec: PodSpec } };
}

/** The objects of a manifest; a Job's or Deployment's template is a Pod of its name. */
function read(path: string): KubernetesObject[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    const object: Workload = document.toJS();
    const { template } = object.spec ?? {};
    if (!template) return object as unknown as KubernetesObject;
    const metadata = { ...template.metadata, name: object.metadata.name };
    return { kind: 'Pod', metadata, spec: template.spec };
  });
}

function merge(all: ComposeParts, parts: ComposeParts) {
  for (const kind of ['services', 'volumes', 'files'] as const) {
    for (const [name, value] of Object.entries(parts[kind])) {
      if (Object.hasOwn(all[kind], name)) throw new Error(`${name} is in another manifest too`);
      Object.assign(all[kind], { [name]: value });
    }
  }
}
