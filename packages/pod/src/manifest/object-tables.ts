import { portReference } from './container-table.ts';
import { objectMeta, podSpec, templateMeta } from './pod-table.ts';
import {
  anything,
  boolean,
  checked,
  choice,
  defaulted,
  integer,
  list,
  map,
  only,
  optional,
  type Path,
  type Read,
  type Report,
  required,
  struct,
  text,
} from './reader.ts';
import { dataKey, dnsLabel, notEmpty, portName } from './rules.ts';

const status = optional(anything);
const head = { apiVersion: required(text()), kind: required(text()), status };

const template = struct({
  metadata: defaulted(templateMeta, { labels: {}, annotations: {} } as never),
  spec: required(podSpec),
});

const selector = optional(
  struct({ matchLabels: defaulted(map(text()), {}) }, { refused: ['matchExpressions'] }),
);

const pod = struct({ ...head, metadata: required(objectMeta), spec: required(podSpec) });

const strategy = optional(
  struct(
    { type: optional(choice(['Recreate'], ['RollingUpdate'])) },
    { refused: ['rollingUpdate'] },
  ),
);

const deployment = checked(
  struct({
    ...head,
    metadata: required(objectMeta),
    spec: required(
      struct(
        {
          replicas: defaulted(integer(0, 100), 1),
          selector: required(
            struct({ matchLabels: defaulted(map(text()), {}) }, { refused: ['matchExpressions'] }),
          ),
          template: required(template),
          strategy,
          // No rollouts: nothing to keep a history of.
          revisionHistoryLimit: optional(integer(0)),
          progressDeadlineSeconds: optional(integer(1)),
        },
        { refused: ['minReadySeconds', 'paused'] },
      ),
    ),
  }),
  ({ spec }, fault) => templateRules(spec, fault, ['Always']),
);

const statefulSet = checked(
  struct({
    ...head,
    metadata: required(objectMeta),
    spec: required(
      struct(
        {
          replicas: defaulted(integer(0, 100), 1),
          selector: required(
            struct({ matchLabels: defaulted(map(text()), {}) }, { refused: ['matchExpressions'] }),
          ),
          template: required(template),
          serviceName: optional(text()),
          podManagementPolicy: defaulted(choice(['OrderedReady', 'Parallel']), 'OrderedReady'),
          revisionHistoryLimit: optional(integer(0)),
        },
        {
          refused: [
            'volumeClaimTemplates',
            'updateStrategy',
            'minReadySeconds',
            'ordinals',
            'persistentVolumeClaimRetentionPolicy',
          ],
        },
      ),
    ),
  }),
  ({ spec }, fault) => templateRules(spec, fault, ['Always']),
);

const job = checked(
  struct({
    ...head,
    metadata: required(objectMeta),
    spec: required(
      struct(
        {
          template: required(template),
          completions: optional(integer(1, 100)),
          parallelism: optional(integer(1, 100)),
          backoffLimit: optional(integer(0)),
          activeDeadlineSeconds: optional(integer(1)),
          selector,
        },
        {
          refused: [
            'completionMode',
            'ttlSecondsAfterFinished',
            'suspend',
            'manualSelector',
            'podFailurePolicy',
            'podReplacementPolicy',
            'successPolicy',
            'backoffLimitPerIndex',
            'maxFailedIndexes',
            'managedBy',
          ],
        },
      ),
    ),
  }),
  ({ spec }, fault) => {
    templateRules(spec, fault, ['Never', 'OnFailure']);
    const { completions, parallelism = 1, backoffLimit } = spec;
    if ((completions ?? parallelism) > parallelism) {
      fault(
        ['spec', 'parallelism'],
        `${parallelism} is less than completions, which is not supported by pod: all Pods of a Job run at once`,
      );
    }
    if (spec.template.spec.restartPolicy === 'Never' && backoffLimit) {
      fault(
        ['spec', 'backoffLimit'],
        `${backoffLimit} is not supported by pod with restartPolicy: Never, since a failed Pod is not made anew: use 0, or restartPolicy: OnFailure`,
      );
    }
  },
);

function templateRules(
  spec: {
    readonly template: Read<typeof template>;
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> } | undefined;
  },
  fault: (at: readonly string[], message: string) => void,
  policies: readonly string[],
) {
  const { restartPolicy } = spec.template.spec;
  if (!policies.includes(restartPolicy)) {
    fault(
      ['spec', 'template', 'spec', 'restartPolicy'],
      `${JSON.stringify(restartPolicy)} must be ${policies.join(' or ')} here`,
    );
  }
  for (const [key, value] of Object.entries(spec.selector?.matchLabels ?? {})) {
    if (spec.template.metadata.labels[key] === value) continue;
    fault(
      ['spec', 'selector', 'matchLabels', key],
      `${JSON.stringify(value)} is not a label of the template`,
    );
  }
}

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
  Deployment: { apiVersion: 'apps/v1', read: deployment },
  StatefulSet: { apiVersion: 'apps/v1', read: statefulSet },
  Job: { apiVersion: 'batch/v1', read: job },
  ConfigMap: { apiVersion: 'v1', read: configMap },
  Secret: { apiVersion: 'v1', read: secret },
  Service: { apiVersion: 'v1', read: service },
  Namespace: { apiVersion: 'v1', read: namespace },
} as const;

export type Kind = keyof typeof KINDS;
export type PodManifest = Read<typeof pod>;
export type DeploymentManifest = Read<typeof deployment>;
export type StatefulSetManifest = Read<typeof statefulSet>;
export type JobManifest = Read<typeof job>;
export type ConfigMapManifest = Read<typeof configMap>;
export type SecretManifest = Read<typeof secret>;
export type ServiceManifest = Read<typeof service>;
