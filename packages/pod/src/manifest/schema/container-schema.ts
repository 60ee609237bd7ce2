import { posix } from 'node:path';
import {
  Broken,
  boolean,
  type Collect,
  checked,
  defaulted,
  list,
  mapped,
  object,
  optional,
  type Read,
  type Reader,
  required,
  text,
} from '@sidekit/core/schema';
import { environmentSource, environmentVariable } from './environment-schema.ts';
import { hook, probe, probeRules } from './probe-schema.ts';
import { parseQuantity } from './quantity.ts';
import { dnsLabel, notEmpty, portName, relativePath } from './rules.ts';
import { securityContext } from './security-schema.ts';
import { anything, choice, RULES, struct } from './support.ts';
import { int32, quantity } from './values.ts';

const RESOURCES = ['cpu', 'memory', 'ephemeral-storage'] as const;

const resourceList = object(
  {
    cpu: optional(quantity),
    memory: optional(quantity),
    'ephemeral-storage': optional(quantity),
  },
  (name) =>
    name.includes('/') || name.startsWith('hugepages-')
      ? { category: 'unsupported', rule: RULES.unsupported }
      : { rule: 'unknown resource', remedy: `known are ${RESOURCES.join(', ')}` },
);

const NO_RESOURCES = { cpu: undefined, memory: undefined, 'ephemeral-storage': undefined };

export const resources = checked(
  struct(
    {
      limits: defaulted(resourceList, NO_RESOURCES),
      requests: defaulted(resourceList, NO_RESOURCES),
    },
    { unsupported: ['claims'] },
  ),
  ({ limits, requests }, report) => {
    for (const name of RESOURCES) {
      const [limit, request] = [limits[name], requests[name]];
      if (limit === undefined || request === undefined) continue;
      if (parseQuantity(request) > parseQuantity(limit)) {
        report(['requests', name], { rule: `must not exceed the ${name} limit` });
      }
    }
    const memory = parseQuantity(limits.memory ?? 0);
    if (memory > 0 && memory < 6 * 2 ** 20) {
      report(['limits', 'memory'], { rule: 'must be at least 6Mi: engines refuse less' });
    }
  },
);

const containerPort = struct({
  containerPort: required(int32(1, 65_535)),
  name: optional(text(portName)),
  hostPort: optional(int32(0, 65_535)),
  hostIP: optional(text(notEmpty)),
  protocol: defaulted(choice(['TCP', 'UDP'], ['SCTP']), 'TCP'),
});

const MESSAGE_PATH = '/dev/termination-log';

/** The file of the termination message; a kubelet takes a relative path from the root folder. */
const messagePath: Reader<string> = mapped(text(), (path) =>
  path === '' ? MESSAGE_PATH : posix.resolve('/', path),
);

const subPath = optional(text((path) => (path === '' ? undefined : relativePath(path))));

const volumeMount = checked(
  struct({
    name: required(text(notEmpty)),
    mountPath: required(text(notEmpty)),
    subPath,
    subPathExpr: subPath,
    readOnly: defaulted(boolean, false),
    mountPropagation: defaulted(choice(['None'], ['HostToContainer', 'Bidirectional']), 'None'),
    recursiveReadOnly: optional(choice(['Disabled'], ['IfPossible', 'Enabled'])),
  }),
  ({ subPath, subPathExpr }, report) => {
    if (subPath && subPathExpr)
      report(['subPathExpr'], { rule: 'must not be given together with subPath' });
  },
);

const fields = {
  name: required(text(dnsLabel)),
  image: required(text(imageReference)),
  imagePullPolicy: optional(choice(['Always', 'IfNotPresent', 'Never'])),
  command: defaulted(list(text()), []),
  args: defaulted(list(text()), []),
  workingDir: optional(text(notEmpty)),
  ports: defaulted(list(containerPort), []),
  env: defaulted(list(environmentVariable), []),
  envFrom: defaulted(list(environmentSource), []),
  resources: defaulted(resources, { limits: NO_RESOURCES, requests: NO_RESOURCES }),
  volumeMounts: defaulted(list(volumeMount, { unique: 'mountPath' }), []),
  livenessProbe: optional(probe),
  readinessProbe: optional(probe),
  startupProbe: optional(probe),
  lifecycle: optional(
    struct({ postStart: optional(hook), preStop: optional(hook) }, { unsupported: ['stopSignal'] }),
  ),
  terminationMessagePath: defaulted(messagePath, MESSAGE_PATH),
  terminationMessagePolicy: defaulted(choice(['File', 'FallbackToLogsOnError']), 'File'),
  securityContext: optional(securityContext),
  resizePolicy: optional(anything),
  stdin: defaulted(boolean, false),
  // Only an attached client closes stdin, and nothing attaches here.
  stdinOnce: optional(boolean),
  tty: defaulted(boolean, false),
};

const unsupported = ['volumeDevices', 'restartPolicyRules'];

function imageReference(value: string): Broken | undefined {
  if (value.trim() === '') return new Broken('must not be empty');
  return /^[^\s-][^\s]*$/.test(value) ? undefined : new Broken('must be an image reference');
}

/** Reads a container of `spec.containers`. */
export const mainContainer = checked(
  struct(fields, { unsupported: [...unsupported, 'restartPolicy'] }),
  probeRules,
);

/** Reads a container of `spec.initContainers`: run once, or a sidecar with `restartPolicy: Always`. */
export const initContainer = checked(
  struct(
    { ...fields, restartPolicy: optional(choice(['Always'], ['OnFailure', 'Never'])) },
    { unsupported },
  ),
  (value, report: Collect) => {
    if (value.restartPolicy === 'Always') return probeRules(value, report);
    for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const) {
      if (value[name] !== undefined) {
        report([name], { rule: 'is only allowed in an init container with restartPolicy: Always' });
      }
    }
  },
);

export type Resources = Read<typeof resources>;

export type VolumeMount = Read<typeof volumeMount>;

export type ContainerPort = Read<typeof containerPort>;

/** A container with every default set. */
export type ContainerSpec = Omit<
  Read<typeof initContainer>,
  'restartPolicy' | 'resizePolicy' | 'stdinOnce'
> & {
  readonly restartPolicy?: 'Always' | undefined;
};
