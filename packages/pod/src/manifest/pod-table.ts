import {
  appArmorProfile,
  fieldRef,
  initContainer,
  mainContainer,
  quantity,
  resourceFieldRef,
  seccompProfile,
} from './container-table.ts';
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
  type Read,
  required,
  struct,
  text,
} from './reader.ts';
import { absolutePath, dataKey, dnsLabel, dnsSubdomain, notEmpty, relativePath } from './rules.ts';

const mode = integer(0, 0o777);
const items = optional(
  list(
    struct({
      key: required(text(dataKey)),
      path: required(text(relativePath)),
      mode: optional(mode),
    }),
  ),
);
const downwardItems = defaulted(
  list(
    checked(
      struct({
        path: required(text(relativePath)),
        fieldRef: optional(fieldRef),
        resourceFieldRef: optional(resourceFieldRef),
        mode: optional(mode),
      }),
      (value, fault) => {
        if (!value.fieldRef === !value.resourceFieldRef) {
          fault([], 'needs exactly one of fieldRef and resourceFieldRef');
        }
        if (value.resourceFieldRef && !value.resourceFieldRef.containerName) {
          fault(['resourceFieldRef', 'containerName'], 'required in a volume');
        }
      },
    ),
  ),
  [],
);
const optionalFlag = defaulted(boolean, false);
const source = { items, optional: optionalFlag };

const projection = checked(
  struct(
    {
      configMap: optional(struct({ name: required(text(notEmpty)), ...source })),
      secret: optional(struct({ name: required(text(notEmpty)), ...source })),
      downwardAPI: optional(struct({ items: downwardItems })),
    },
    {
      refused: {
        serviceAccountToken: 'there is no API server to issue one',
        clusterTrustBundle: 'there is no API server to give one',
        podCertificate: 'there is no API server to issue one',
      },
    },
  ),
  (value, fault) => exactlyOne(value, fault, 'source'),
);

const volume = checked(
  struct(
    {
      name: required(text(dnsLabel)),
      emptyDir: optional(
        struct({
          medium: defaulted(choice(['', 'Memory'], ['HugePages']), ''),
          sizeLimit: optional(quantity),
        }),
      ),
      configMap: optional(
        struct({ name: required(text(notEmpty)), ...source, defaultMode: defaulted(mode, 0o644) }),
      ),
      secret: optional(
        struct({
          secretName: required(text(notEmpty)),
          ...source,
          defaultMode: defaulted(mode, 0o644),
        }),
      ),
      downwardAPI: optional(struct({ items: downwardItems, defaultMode: defaulted(mode, 0o644) })),
      projected: optional(
        struct({
          sources: defaulted(list(projection), []),
          defaultMode: defaulted(mode, 0o644),
        }),
      ),
      hostPath: optional(
        struct({
          path: required(text(absolutePath)),
          type: defaulted(
            choice(
              ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket'],
              ['CharDevice', 'BlockDevice'],
            ),
            '',
          ),
        }),
      ),
    },
    {
      refused: [
        'persistentVolumeClaim',
        'ephemeral',
        'csi',
        'image',
        'nfs',
        'iscsi',
        'fc',
        'gitRepo',
        'cephfs',
        'rbd',
        'glusterfs',
        'awsElasticBlockStore',
        'azureDisk',
        'azureFile',
        'cinder',
        'flexVolume',
        'flocker',
        'gcePersistentDisk',
        'photonPersistentDisk',
        'portworxVolume',
        'quobyte',
        'scaleIO',
        'storageos',
        'vsphereVolume',
      ],
    },
  ),
  ({ name: _, ...sources }, fault) => exactlyOne(sources, fault, 'kind of volume'),
);

function exactlyOne(
  value: Readonly<Record<string, unknown>>,
  fault: (at: readonly string[], message: string) => void,
  what: string,
) {
  const given = Object.values(value).filter((one) => one !== undefined).length;
  if (given !== 1) fault([], `needs exactly one ${what}, not ${given}`);
}

const podSecurityContext = struct(
  {
    runAsUser: optional(integer(0)),
    runAsGroup: optional(integer(0)),
    runAsNonRoot: optional(boolean),
    fsGroup: optional(integer(0)),
    fsGroupChangePolicy: defaulted(choice(['Always', 'OnRootMismatch']), 'Always'),
    supplementalGroups: defaulted(list(integer(0)), []),
    supplementalGroupsPolicy: defaulted(choice(['Merge'], ['Strict']), 'Merge'),
    seccompProfile: optional(seccompProfile),
    appArmorProfile: optional(appArmorProfile),
    sysctls: defaulted(
      list(struct({ name: required(text(sysctlRule)), value: required(text()) }), {
        unique: 'name',
      }),
      [],
    ),
  },
  { refused: ['seLinuxOptions', 'seLinuxChangePolicy', 'windowsOptions'] },
);

/** Only what belongs to the Pod's own IPC and network namespaces can be set. */
function sysctlRule(value: string): string | undefined {
  return /^(fs\.mqueue\.|kernel\.(msg|shm|sem)|net\.)/.test(value)
    ? undefined
    : 'is not supported by pod: only fs.mqueue.*, kernel.msg*, kernel.shm*, kernel.sem and net.* belong to a Pod';
}

const nodeSelector = checked(map(text()), (labels, fault) => {
  const cpu = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  const here: Readonly<Record<string, string>> = {
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': cpu,
  };
  for (const [key, value] of Object.entries(labels)) {
    if (here[key] === value) continue;
    fault(
      [key],
      `${JSON.stringify(value)} does not match this machine, which has ${JSON.stringify(here)}`,
    );
  }
});

export const podSpec = struct(
  {
    containers: required(list(mainContainer, { min: 1, unique: 'name' })),
    initContainers: defaulted(list(initContainer, { unique: 'name' }), []),
    volumes: defaulted(list(volume, { unique: 'name' }), []),
    restartPolicy: defaulted(choice(['Always', 'OnFailure', 'Never']), 'Always'),
    terminationGracePeriodSeconds: defaulted(integer(0), 30),
    activeDeadlineSeconds: optional(integer(1)),
    dnsPolicy: defaulted(
      choice(['ClusterFirst', 'Default', 'None'], ['ClusterFirstWithHostNet']),
      'ClusterFirst',
    ),
    dnsConfig: optional(
      struct({
        nameservers: defaulted(list(text(notEmpty)), []),
        searches: defaulted(list(text(notEmpty)), []),
        options: defaulted(
          list(struct({ name: required(text(notEmpty)), value: optional(text()) })),
          [],
        ),
      }),
    ),
    hostAliases: defaulted(
      list(
        struct({ ip: required(text(notEmpty)), hostnames: defaulted(list(text(notEmpty)), []) }),
      ),
      [],
    ),
    hostname: optional(text(dnsLabel)),
    subdomain: optional(text(dnsLabel)),
    securityContext: optional(podSecurityContext),
    shareProcessNamespace: defaulted(boolean, false),
    enableServiceLinks: defaulted(boolean, true),
    // There is no API server here: nothing to mount a token for, and nobody to be.
    automountServiceAccountToken: optional(only(false)),
    serviceAccountName: defaulted(text(dnsSubdomain), 'default'),
    serviceAccount: optional(text(dnsSubdomain)),
    // One machine: what chooses a node has nothing left to choose.
    nodeSelector: optional(nodeSelector),
    tolerations: optional(anything),
    schedulerName: defaulted(only('default-scheduler'), 'default-scheduler'),
    os: optional(struct({ name: required(only('linux')) })),
    hostUsers: optional(only(true)),
  },
  {
    refused: [
      'ephemeralContainers',
      'hostNetwork',
      'hostPID',
      'hostIPC',
      'imagePullSecrets',
      'nodeName',
      'affinity',
      'priorityClassName',
      'priority',
      'preemptionPolicy',
      'readinessGates',
      'runtimeClassName',
      'overhead',
      'topologySpreadConstraints',
      'setHostnameAsFQDN',
      'schedulingGates',
      'resourceClaims',
      'resources',
      'hostnameOverride',
      'workloadRef',
    ],
  },
);

const systemFields = {
  creationTimestamp: optional(anything),
  uid: optional(text()),
  resourceVersion: optional(anything),
  generation: optional(anything),
  managedFields: optional(anything),
  selfLink: optional(anything),
};

export const objectMeta = struct(
  {
    name: required(text(dnsSubdomain)),
    namespace: defaulted(text(dnsLabel), 'default'),
    labels: defaulted(map(text()), {}),
    annotations: defaulted(map(text()), {}),
    ...systemFields,
  },
  {
    refused: [
      'generateName',
      'finalizers',
      'ownerReferences',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
    ],
  },
);

export const templateMeta = struct(
  {
    name: optional(text(dnsSubdomain)),
    namespace: optional(text(dnsLabel)),
    labels: defaulted(map(text()), {}),
    annotations: defaulted(map(text()), {}),
    ...systemFields,
  },
  { refused: ['generateName', 'finalizers', 'ownerReferences'] },
);

export type PodSpec = Read<typeof podSpec>;
export type Volume = Read<typeof volume>;
export type Projection = Read<typeof projection>;
export type PodSecurityContext = Read<typeof podSecurityContext>;
export type ObjectMeta = Read<typeof objectMeta>;
