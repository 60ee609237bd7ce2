import { environmentSource, environmentVariable } from './environment-table.ts';
import { hook, probe, probeRules } from './probe-table.ts';
import { parseQuantity } from './quantity.ts';
import { checked, defaulted, list, optional, type Read, required, struct } from './reader.ts';
import { absolutePath, dnsLabel, mountPath, notEmpty, portName, relativePath } from './rules.ts';
import { boolean, choice, integer, only, text } from './scalars.ts';
import { securityContext } from './security-table.ts';
import { quantity } from './value-readers.ts';

const resourceList = struct(
  { cpu: optional(quantity), memory: optional(quantity) },
  { refused: ['ephemeral-storage', 'hugepages-2Mi', 'hugepages-1Gi'] },
);

export const resources = checked(
  struct(
    {
      limits: defaulted(resourceList, {} as never),
      requests: defaulted(resourceList, {} as never),
    },
    { refused: ['claims'] },
  ),
  ({ limits, requests }, fault) => {
    for (const name of ['cpu', 'memory'] as const) {
      const [limit, request] = [limits[name], requests[name]];
      if (limit === undefined || request === undefined) continue;
      if (parseQuantity(request) > parseQuantity(limit)) {
        fault(['requests', name], `must not exceed the ${name} limit`);
      }
    }
    const memory = parseQuantity(limits.memory ?? 0);
    if (memory > 0 && memory < 6 * 2 ** 20) {
      fault(['limits', 'memory'], 'must be at least 6Mi: engines refuse less');
    }
  },
);

const containerPort = struct({
  containerPort: required(integer(1, 65_535)),
  name: optional(text(portName)),
  hostPort: optional(integer(0, 65_535)),
  hostIP: optional(text(notEmpty)),
  protocol: defaulted(choice(['TCP', 'UDP'], ['SCTP']), 'TCP'),
});

const volumeMount = struct(
  {
    name: required(text(notEmpty)),
    mountPath: required(text(mountPath)),
    subPath: optional(text(relativePath)),
    readOnly: defaulted(boolean, false),
    mountPropagation: defaulted(only('None'), 'None'),
  },
  { refused: ['subPathExpr', 'recursiveReadOnly'] },
);

const fields = {
  name: required(text(dnsLabel)),
  image: required(text(imageReference)),
  imagePullPolicy: optional(choice(['Always', 'IfNotPresent', 'Never'])),
  command: defaulted(list(text()), []),
  args: defaulted(list(text()), []),
  workingDir: optional(text(absolutePath)),
  ports: defaulted(list(containerPort), []),
  env: defaulted(list(environmentVariable), []),
  envFrom: defaulted(list(environmentSource), []),
  resources: defaulted(resources, { limits: {}, requests: {} } as never),
  volumeMounts: defaulted(list(volumeMount, { unique: 'mountPath' }), []),
  livenessProbe: optional(probe),
  readinessProbe: optional(probe),
  startupProbe: optional(probe),
  lifecycle: optional(
    struct({ postStart: optional(hook), preStop: optional(hook) }, { refused: ['stopSignal'] }),
  ),
  terminationMessagePath: defaulted(text(absolutePath), '/dev/termination-log'),
  terminationMessagePolicy: defaulted(choice(['File', 'FallbackToLogsOnError']), 'File'),
  securityContext: optional(securityContext),
};

const refused = [
  'stdin',
  'stdinOnce',
  'tty',
  'volumeDevices',
  'resizePolicy',
  'restartPolicyRules',
];

function imageReference(value: string): string | undefined {
  if (value.trim() === '') return 'must not be empty';
  return /^[^\s-][^\s]*$/.test(value) ? undefined : 'must be an image reference';
}

/** A container of `spec.containers`. */
export const mainContainer = checked(
  struct({ ...fields, restartPolicy: optional(neverForMain) }, { refused }),
  probeRules,
);

/** A container of `spec.initContainers`: run once, or a sidecar with `restartPolicy: Always`. */
export const initContainer = checked(
  struct(
    {
      ...fields,
      restartPolicy: optional(choice(['Always'], ['OnFailure', 'Never'])),
    },
    { refused },
  ),
  (value, fault) => {
    if (value.restartPolicy === 'Always') return probeRules(value, fault);
    for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const) {
      if (value[name] !== undefined) {
        fault([name], 'is only allowed in an init container with restartPolicy: Always');
      }
    }
  },
);

function neverForMain(
  _value: unknown,
  path: readonly (string | number)[],
  report: (path: readonly (string | number)[], message: string) => void,
): undefined {
  report(path, 'not supported by pod outside initContainers (set spec.restartPolicy)');
}

export type Resources = Read<typeof resources>;

export type VolumeMount = Read<typeof volumeMount>;

export type ContainerPort = Read<typeof containerPort>;

/** A container with every default set. */
export type ContainerSpec = Omit<Read<typeof initContainer>, 'restartPolicy'> & {
  readonly restartPolicy?: 'Always' | undefined;
};
