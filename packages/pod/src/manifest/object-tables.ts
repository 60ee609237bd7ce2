import {
  cronJobSpec,
  daemonSetSpec,
  deploymentSpec,
  jobSpec,
  replicaSetSpec,
  statefulSetSpec,
} from './controller-tables.ts';
import { objectMeta } from './meta-table.ts';
import { podSpec } from './pod-table.ts';
import {
  checked,
  defaulted,
  list,
  map,
  optional,
  type Path,
  type Read,
  type Reader,
  type Report,
  required,
  struct,
} from './reader.ts';
import { dataKey, dnsLabel, notEmpty, portName } from './rules.ts';
import { anything, boolean, choice, integer, only, text } from './scalars.ts';
import { portReference } from './value-readers.ts';

const status = optional(anything);
const head = { apiVersion: required(text()), kind: required(text()), status };

const pod = struct({ ...head, metadata: required(objectMeta), spec: required(podSpec) });

const controller = <T>(spec: Reader<T>) =>
  struct({ ...head, metadata: required(objectMeta), spec: required(spec) });

const configMap = checked(
  struct({
    ...head,
    metadata: required(objectMeta),
    data: defaulted(map(text()), {}),
    binaryData: defaulted(map(base64), {}),
    immutable: optional(boolean),
  }),
  ({ data, binaryData }, fault) => {
    for (const [field, keys] of [
      ['data', Object.keys(data)],
      ['binaryData', Object.keys(binaryData)],
    ] as const) {
      for (const key of keys) {
        const broken = dataKey(key);
        if (broken) fault([field, key], broken);
      }
    }
  },
);

const secret = struct({
  ...head,
  metadata: required(objectMeta),
  data: defaulted(map(base64), {}),
  stringData: defaulted(map(text()), {}),
  type: optional(text()),
  immutable: optional(boolean),
});

/** Bytes in base64. The value may be secret: a message does not repeat it. */
function base64(value: unknown, path: Path, report: Report): Buffer | undefined {
  if (typeof value === 'string') {
    const compact = value.replace(/\s/g, '');
    const decoded = Buffer.from(compact, 'base64');
    const plain = (encoded: string) => encoded.replace(/=+$/, '');
    if (plain(decoded.toString('base64')) === plain(compact)) return decoded;
  }
  report(path, 'is not base64: put plain text under stringData (of a ConfigMap: data)');
  return undefined;
}

const servicePort = struct({
  port: required(integer(1, 65_535)),
  targetPort: optional(portReference),
  name: optional(text(portName)),
  protocol: defaulted(choice(['TCP'], ['UDP', 'SCTP']), 'TCP'),
  nodePort: optional(integer(1, 65_535)),
  appProtocol: optional(text()),
});

const service = checked(
  struct({
    ...head,
    metadata: required(objectMeta),
    spec: required(
      struct(
        {
          selector: defaulted(map(text()), {}),
          ports: defaulted(list(servicePort), []),
          type: defaulted(
            choice(['ClusterIP', 'NodePort', 'LoadBalancer'], ['ExternalName']),
            'ClusterIP',
          ),
          clusterIP: optional(only('None', '')),
          clusterIPs: optional(anything),
          publishNotReadyAddresses: defaulted(boolean, false),
          sessionAffinity: defaulted(only('None'), 'None'),
          ipFamilies: optional(anything),
          ipFamilyPolicy: optional(anything),
          internalTrafficPolicy: optional(only('Cluster')),
          externalTrafficPolicy: optional(anything),
          allocateLoadBalancerNodePorts: optional(anything),
        },
        {
          refused: [
            'externalName',
            'externalIPs',
            'loadBalancerIP',
            'loadBalancerSourceRanges',
            'loadBalancerClass',
            'healthCheckNodePort',
            'sessionAffinityConfig',
            'trafficDistribution',
          ],
        },
      ),
    ),
  }),
  ({ metadata, spec }, fault) => {
    const broken = dnsLabel(metadata.name);
    if (broken) fault(['metadata', 'name'], `${JSON.stringify(metadata.name)} ${broken}`);
    if (spec.ports.length === 0 && spec.clusterIP !== 'None') fault(['spec', 'ports'], 'required');
    if (Object.keys(spec.selector).length === 0) {
      fault(['spec', 'selector'], 'required by pod: without one there is nothing to send to');
    }
    const names = new Set<string | undefined>();
    for (const [index, { name }] of spec.ports.entries()) {
      if (spec.ports.length > 1 && name === undefined) {
        fault(['spec', 'ports', String(index), 'name'], 'required where there are several ports');
      } else if (names.has(name)) {
        fault(['spec', 'ports', String(index), 'name'], `duplicate: ${JSON.stringify(name)}`);
      }
      names.add(name);
    }
  },
);

const namespace = struct({
  ...head,
  metadata: required(
    struct({
      name: required(text(notEmpty)),
      labels: optional(anything),
      annotations: optional(anything),
    }),
  ),
  spec: optional(anything),
});

/** The kinds that are honoured: their API version and how they are read. */
export const KINDS = {
  Pod: { apiVersion: 'v1', read: pod },
  Deployment: { apiVersion: 'apps/v1', read: controller(deploymentSpec) },
  ReplicaSet: { apiVersion: 'apps/v1', read: controller(replicaSetSpec) },
  DaemonSet: { apiVersion: 'apps/v1', read: controller(daemonSetSpec) },
  StatefulSet: { apiVersion: 'apps/v1', read: controller(statefulSetSpec) },
  Job: { apiVersion: 'batch/v1', read: controller(jobSpec) },
  CronJob: { apiVersion: 'batch/v1', read: controller(cronJobSpec) },
  ConfigMap: { apiVersion: 'v1', read: configMap },
  Secret: { apiVersion: 'v1', read: secret },
  Service: { apiVersion: 'v1', read: service },
  Namespace: { apiVersion: 'v1', read: namespace },
} as const;

export type Kind = keyof typeof KINDS;
export type ManifestOf<K extends Kind> = Read<(typeof KINDS)[K]['read']>;
export type ConfigMapManifest = ManifestOf<'ConfigMap'>;
export type SecretManifest = ManifestOf<'Secret'>;
export type ServiceManifest = ManifestOf<'Service'>;
