import { createHash } from 'node:crypto';
import { type Fault, type Report, UsageError } from '@sidekit/core';
import { type Document, readDocuments } from './documents.ts';
import { checkReferences } from './references.ts';
import type {
  DataObjects,
  ObjectMeta,
  PodObject,
  PodSpec,
  ServiceObject,
  Workload,
} from './types.ts';

/**
 * Reads manifests into the Pods, Services and data they ask for, with the API server's defaults.
 * @throws {UsageError} with every fault of every file; nothing was started.
 */
export function readWorkload(files: readonly string[]): Workload {
  const faults: Fault[] = [];
  const report: Report = (fault) => void faults.push(fault);
  const documents = readDocuments(files, report);
  const workload = assemble(documents);
  if (faults.length === 0 && workload.pods.length === 0) {
    report({
      name: files.join(', '),
      rule: 'holds no Pod, Deployment, StatefulSet or Job',
      remedy: 'add one',
    });
  }
  if (faults.length === 0) checkReferences(workload, report);
  if (faults.length > 0) throw new UsageError(faults);
  return workload;
}

export function assemble(documents: readonly Document[]): Workload {
  const of = (kind: string) =>
    documents.filter((document) => document.kind === kind).map(({ value }) => value);
  return {
    pods: documents.flatMap(podsOf),
    services: of('Service').map(serviceOf),
    configMaps: dataOf(of('ConfigMap'), 'data', 'binaryData'),
    secrets: dataOf(of('Secret'), 'stringData', 'data'),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: its shape has been checked by documents.ts
type Loose = Record<string, any>;

function podsOf({ kind, value }: Document): PodObject[] {
  const meta = metaOf(value.metadata as Loose);
  const spec = value.spec as Loose | undefined;
  if (kind === 'Pod') return [{ metadata: meta, spec: withDefaults(spec as Loose) }];
  if (kind !== 'Deployment' && kind !== 'StatefulSet' && kind !== 'Job') return [];
  const template = spec?.template as Loose;
  const replicas: number = kind === 'Job' ? 1 : (spec?.replicas ?? 1);
  return Array.from({ length: replicas }, (_, i) => ({
    owner: { kind, name: meta.name },
    metadata: {
      ...metaOf({ ...template.metadata, name: podName(kind, meta.name, i) }),
      namespace: meta.namespace,
    },
    spec: withDefaults(template.spec, kind === 'Job' ? 'Never' : 'Always'),
  }));
}

/** A StatefulSet's Pods are numbered; the others get a suffix, here the same at every run. */
function podName(kind: string, owner: string, index: number): string {
  if (kind === 'StatefulSet') return `${owner}-${index}`;
  const suffix = createHash('sha256').update(`${owner}/${index}`).digest('hex').slice(0, 5);
  return `${owner}-${suffix}`;
}

function metaOf(metadata: Loose): ObjectMeta {
  const { name, namespace = 'default', labels = {}, annotations = {} } = metadata;
  return { name, namespace, labels, annotations };
}

function withDefaults(spec: Loose, restartPolicy = 'Always'): PodSpec {
  return { restartPolicy, terminationGracePeriodSeconds: 30, ...spec } as unknown as PodSpec;
}

function serviceOf(value: Loose): ServiceObject {
  const { selector, ports, clusterIP } = value.spec;
  return {
    metadata: metaOf(value.metadata),
    selector,
    headless: clusterIP === 'None',
    ports: ports.map((port: Loose) => ({ ...port, targetPort: port.targetPort ?? port.port })),
  };
}

/** Text as it is; base64 of `binaryData` and of a Secret's `data` decoded. */
function dataOf(values: readonly Loose[], plain: string, encoded: string): DataObjects {
  const decode = (map: Record<string, string> = {}, encoding: BufferEncoding) =>
    Object.entries(map).map(([key, text]) => [key, Buffer.from(text, encoding)] as const);
  return Object.fromEntries(
    values.map((value) => [
      value.metadata.name,
      Object.fromEntries([...decode(value[encoded], 'base64'), ...decode(value[plain], 'utf8')]),
    ]),
  );
}
