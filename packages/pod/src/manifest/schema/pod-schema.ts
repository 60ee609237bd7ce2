import {
  boolean,
  checked,
  defaulted,
  list,
  map,
  mapped,
  optional,
  type Read,
  type Reader,
  required,
  text,
} from '@sidekit/core/schema';
import { initContainer, mainContainer } from './container-schema.ts';
import { podRules } from './pod-rules.ts';
import { dnsLabel, dnsSubdomain, labelValue, notEmpty, qualifiedName } from './rules.ts';
import { schedulingFields } from './scheduling-schema.ts';
import { podSecurityContext } from './security-schema.ts';
import { choice, only, RULES, reachesHost, struct } from './support.ts';
import { forSystem } from './system-rules.ts';
import { int32, textOfMap } from './values.ts';
import { volume } from './volume-schema.ts';

const nodeSelector = checked(map(textOfMap(labelValue), qualifiedName), (labels, report) => {
  const cpu = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  const here: Readonly<Record<string, string>> = {
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': cpu,
  };
  for (const [key, value] of Object.entries(labels)) {
    if (!Object.hasOwn(here, key)) report([key], { category: 'cluster', rule: RULES.cluster });
    else if (here[key] !== value) {
      report([key], { value, rule: `does not match this machine, which is ${here[key]}` });
    }
  }
});

/** The API server takes a negative grace period, for older clients, and makes it one second. */
const gracePeriod: Reader<number> = mapped(int32(-(2 ** 31)), (seconds) =>
  seconds < 0 ? 1 : seconds,
);

/** Not honoured yet: it takes both --allow-host and --unsupported=warn to skip one. */
const hostNamespace = defaulted<boolean>((value, path, report) => {
  const read = reachesHost(boolean, (given) => given)(value, path, report);
  if (read) report(path, { category: 'unsupported', rule: RULES.unsupported });
  return read;
}, false);

export const podSpec = forSystem(
  checked(
    struct(
      {
        containers: required(list(mainContainer, { min: 1, unique: 'name' })),
        initContainers: defaulted(list(initContainer, { unique: 'name' }), []),
        volumes: defaulted(list(volume, { unique: 'name' }), []),
        restartPolicy: defaulted(choice(['Always', 'OnFailure', 'Never']), 'Always'),
        terminationGracePeriodSeconds: defaulted(gracePeriod, 30),
        activeDeadlineSeconds: optional(int32(1)),
        dnsPolicy: defaulted(
          choice(['ClusterFirst', 'Default', 'None'], ['ClusterFirstWithHostNet'], 'cluster'),
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
            struct({
              ip: required(text(notEmpty)),
              hostnames: defaulted(list(text(notEmpty)), []),
            }),
          ),
          [],
        ),
        hostname: optional(text(dnsLabel)),
        subdomain: optional(text(dnsLabel)),
        hostNetwork: hostNamespace,
        hostPID: hostNamespace,
        hostIPC: hostNamespace,
        securityContext: optional(podSecurityContext),
        shareProcessNamespace: defaulted(boolean, false),
        enableServiceLinks: defaulted(boolean, true),
        // There is no API server here: nothing to mount a token for.
        automountServiceAccountToken: optional(only(false, boolean)),
        serviceAccountName: defaulted(text(dnsSubdomain), 'default'),
        serviceAccount: optional(text(dnsSubdomain)),
        nodeSelector: optional(nodeSelector),
        schedulerName: defaulted(
          only('default-scheduler', text(notEmpty), 'cluster'),
          'default-scheduler',
        ),
        os: optional(struct({ name: required(choice(['linux'], ['windows'])) })),
        hostUsers: optional(only(true, boolean)),
        ...schedulingFields,
      },
      {
        cluster: {
          imagePullSecrets: 'the engine pulls with its own credentials',
        },
        unsupported: [
          'ephemeralContainers',
          'readinessGates',
          'runtimeClassName',
          'setHostnameAsFQDN',
          'schedulingGates',
          'resourceClaims',
          'resources',
          'hostnameOverride',
          'workloadRef',
        ],
      },
    ),
    podRules,
  ),
);

export type PodSpec = Read<typeof podSpec>;
