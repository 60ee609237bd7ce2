import { initContainer, mainContainer } from './container-table.ts';
import { checked, defaulted, list, map, optional, type Read, required, struct } from './reader.ts';
import { dnsLabel, dnsSubdomain, notEmpty } from './rules.ts';
import { anything, boolean, choice, integer, only, text } from './scalars.ts';
import { podSecurityContext } from './security-table.ts';
import { volume } from './volume-table.ts';

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

export type PodSpec = Read<typeof podSpec>;
