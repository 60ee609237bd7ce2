import { parseQuantity } from './quantity.ts';
import {
  boolean,
  checked,
  choice,
  defaulted,
  integer,
  list,
  mapped,
  only,
  optional,
  type Read,
  type Reader,
  required,
  struct,
  text,
} from './reader.ts';
import {
  absolutePath,
  dataKey,
  dnsLabel,
  mountPath,
  notEmpty,
  portName,
  relativePath,
  variableName,
} from './rules.ts';

/** A quantity, kept as it was written. */
export const quantity: Reader<string | number> = (value, path, report) => {
  if (typeof value !== 'string' && typeof value !== 'number') {
    report(path, 'must be a quantity, such as 500m or 64Mi');
    return undefined;
  }
  const read: Reader<string | number> = (given) => given as string | number;
  return mapped(read, (given) => {
    if (parseQuantity(given) < 0) throw new Error('must not be negative');
    return given;
  })(value, path, report);
};

/** A port by number, or by the name of a container's port. */
export const portReference: Reader<number | string> = (value, path, report) => {
  if (typeof value === 'number') return integer(1, 65_535)(value, path, report);
  return text(portName)(value, path, report);
};

const localReference = { name: required(text(notEmpty)), optional: defaulted(boolean, false) };
const keyReference = struct({ ...localReference, key: required(text(dataKey)) });

export const fieldRef = struct({
  fieldPath: required(text(fieldPathRule)),
  apiVersion: defaulted(only('v1'), 'v1'),
});

export const resourceFieldRef = struct({
  resource: required(
    choice(
      ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'],
      ['limits.ephemeral-storage', 'requests.ephemeral-storage'],
    ),
  ),
  containerName: optional(text(dnsLabel)),
  divisor: defaulted(quantity, '1'),
});

function fieldPathRule(value: string): string | undefined {
  const known =
    /^(metadata\.(name|namespace|uid)|metadata\.(labels|annotations)(\['[^']+'\])?|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$/;
  return known.test(value) ? undefined : 'is not a field that the downward API gives';
}

const environmentVariable = checked(
  struct({
    name: required(text(variableName)),
    value: optional(text()),
    valueFrom: optional(
      struct(
        {
          configMapKeyRef: optional(keyReference),
          secretKeyRef: optional(keyReference),
          fieldRef: optional(fieldRef),
          resourceFieldRef: optional(resourceFieldRef),
        },
        { refused: ['fileKeyRef'] },
      ),
    ),
  }),
  ({ value, valueFrom }, fault) => {
    if (!valueFrom) return;
    const given = Object.values(valueFrom).filter((source) => source !== undefined).length;
    if (given !== 1) fault(['valueFrom'], `needs exactly one source, not ${given}`);
    if (value) fault(['valueFrom'], 'may not be given beside a value');
  },
);

const environmentSource = checked(
  struct({
    prefix: optional(text()),
    configMapRef: optional(struct(localReference)),
    secretRef: optional(struct(localReference)),
  }),
  ({ configMapRef, secretRef }, fault) => {
    if (!configMapRef === !secretRef) fault([], 'needs exactly one of configMapRef and secretRef');
  },
);

const httpGet = struct({
  port: required(portReference),
  path: defaulted(text(), '/'),
  host: optional(text(notEmpty)),
  scheme: defaulted(choice(['HTTP', 'HTTPS']), 'HTTP'),
  httpHeaders: defaulted(
    list(struct({ name: required(text(notEmpty)), value: defaulted(text(), '') })),
    [],
  ),
});
const exec = struct({ command: required(list(text(), { min: 1 })) });
const tcpSocket = struct({ port: required(portReference), host: optional(text(notEmpty)) });

const probe = checked(
  struct(
    {
      exec: optional(exec),
      httpGet: optional(httpGet),
      tcpSocket: optional(tcpSocket),
      initialDelaySeconds: defaulted(integer(0), 0),
      periodSeconds: defaulted(zeroAs(10), 10),
      timeoutSeconds: defaulted(zeroAs(1), 1),
      successThreshold: defaulted(zeroAs(1), 1),
      failureThreshold: defaulted(zeroAs(3), 3),
      terminationGracePeriodSeconds: optional(integer(1)),
    },
    { refused: { grpc: 'use an exec, httpGet or tcpSocket probe' } },
  ),
  (value, fault) => oneHandler(value, fault),
);

/** The API server reads 0 as "not given" in a probe. */
function zeroAs(fallback: number): Reader<number> {
  return mapped(integer(0), (value) => value || fallback);
}

const hook = checked(
  struct(
    {
      exec: optional(exec),
      httpGet: optional(httpGet),
      sleep: optional(struct({ seconds: required(integer(0)) })),
    },
    { refused: { tcpSocket: 'Kubernetes ignores it too' } },
  ),
  (value, fault) => oneHandler(value, fault),
);

function oneHandler(
  value: {
    readonly exec?: unknown;
    readonly httpGet?: unknown;
    readonly tcpSocket?: unknown;
    readonly sleep?: unknown;
  },
  fault: (at: readonly string[], message: string) => void,
) {
  const given = [value.exec, value.httpGet, value.tcpSocket, value.sleep].filter(
    (handler) => handler !== undefined,
  ).length;
  if (given !== 1) fault([], `needs exactly one handler, not ${given}`);
}

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

export const seccompProfile = struct(
  { type: required(choice(['RuntimeDefault', 'Unconfined'], ['Localhost'])) },
  { refused: ['localhostProfile'] },
);
export const appArmorProfile = struct(
  { type: required(choice(['RuntimeDefault', 'Unconfined'], ['Localhost'])) },
  { refused: ['localhostProfile'] },
);

const securityContext = checked(
  struct(
    {
      runAsUser: optional(integer(0)),
      runAsGroup: optional(integer(0)),
      runAsNonRoot: optional(boolean),
      readOnlyRootFilesystem: defaulted(boolean, false),
      allowPrivilegeEscalation: optional(boolean),
      privileged: defaulted(boolean, false),
      capabilities: optional(
        struct({
          add: defaulted(list(text(capability)), []),
          drop: defaulted(list(text(capability)), []),
        }),
      ),
      seccompProfile: optional(seccompProfile),
      appArmorProfile: optional(appArmorProfile),
      procMount: defaulted(only('Default'), 'Default'),
    },
    { refused: ['seLinuxOptions', 'windowsOptions'] },
  ),
  ({ allowPrivilegeEscalation, privileged, capabilities }, fault) => {
    if (allowPrivilegeEscalation !== false) return;
    if (privileged)
      fault(['allowPrivilegeEscalation'], 'cannot be false in a privileged container');
    if (capabilities?.add.some((name) => /^(CAP_)?SYS_ADMIN$/.test(name))) {
      fault(['allowPrivilegeEscalation'], 'cannot be false with the capability SYS_ADMIN');
    }
  },
);

function capability(value: string): string | undefined {
  return /^[A-Z_]+$/.test(value) ? undefined : 'must be a capability such as NET_ADMIN, or ALL';
}

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

function probeRules(
  value: {
    readonly livenessProbe?: Read<typeof probe> | undefined;
    readonly startupProbe?: Read<typeof probe> | undefined;
    readonly readinessProbe?: Read<typeof probe> | undefined;
  },
  fault: (at: readonly string[], message: string) => void,
) {
  for (const name of ['livenessProbe', 'startupProbe'] as const) {
    if ((value[name]?.successThreshold ?? 1) !== 1) fault([name, 'successThreshold'], 'must be 1');
  }
  if (value.readinessProbe?.terminationGracePeriodSeconds !== undefined) {
    fault(
      ['readinessProbe', 'terminationGracePeriodSeconds'],
      'must not be set for a readiness probe',
    );
  }
}

export type Probe = Read<typeof probe>;
export type Hook = Read<typeof hook>;
export type HttpGet = Read<typeof httpGet>;
export type FieldRef = Read<typeof fieldRef>;
export type ResourceFieldRef = Read<typeof resourceFieldRef>;
export type Resources = Read<typeof resources>;
export type SecurityContext = Read<typeof securityContext>;
export type VolumeMount = Read<typeof volumeMount>;
export type ContainerPort = Read<typeof containerPort>;
export type EnvironmentVariable = Read<typeof environmentVariable>;
export type EnvironmentSource = Read<typeof environmentSource>;

export type ExecAction = Read<typeof exec>;
export type TcpSocketAction = Read<typeof tcpSocket>;

/** A container with every default set. */
export type ContainerSpec = Omit<Read<typeof initContainer>, 'restartPolicy'> & {
  readonly restartPolicy?: 'Always' | undefined;
};
