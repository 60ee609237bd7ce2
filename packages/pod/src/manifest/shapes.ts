import type { ObjectShape, Shape } from './schema.ts';

/** The shapes of the kinds that `pod` runs, by Kubernetes' API reference (v1.36). */

const text: Shape = { kind: 'string' };
const flag: Shape = { kind: 'boolean' };
const count: Shape = { kind: 'integer', min: 0 };
const id: Shape = { kind: 'integer', min: 0, max: 2 ** 31 - 1 };
const port: Shape = { kind: 'integer', min: 1, max: 65_535 };
const mode: Shape = { kind: 'integer', min: 0, max: 0o777 };
const name: Shape = {
  kind: 'string',
  matches: /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
  rule: 'must be a DNS name: lower-case letters, digits, - and .',
};
const label: Shape = {
  kind: 'string',
  matches: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  rule: 'must be a DNS label: lower-case letters, digits and -',
};
const words = (...list: string[]): Shape => ({ kind: 'string', words: list });
const list = (of: Shape, uniqueBy?: string, min = 0): Shape => ({
  kind: 'list',
  of,
  min,
  ...(uniqueBy ? { uniqueBy } : {}),
});
const map = (of: Shape): Shape => ({ kind: 'map', of });
const object = (
  fields: ObjectShape['fields'],
  more: Omit<ObjectShape, 'kind' | 'fields'> = {},
): ObjectShape => ({
  kind: 'object',
  fields,
  ...more,
});

export const metadata = object(
  {
    name,
    namespace: label,
    labels: map(text),
    annotations: map(text),
  },
  { refused: ['generateName', 'finalizers', 'ownerReferences'] },
);

const keySelector = object({ name, key: text, optional: flag }, { required: ['name', 'key'] });
const fieldRef = object({ fieldPath: text, apiVersion: text }, { required: ['fieldPath'] });
const resourceFieldRef = object(
  {
    containerName: label,
    resource: words('limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'),
    divisor: { kind: 'quantity' },
  },
  { required: ['resource'] },
);

const httpGet = object(
  {
    path: text,
    port: { kind: 'port' },
    host: text,
    scheme: words('HTTP', 'HTTPS'),
    httpHeaders: list(object({ name: text, value: text }, { required: ['name', 'value'] })),
  },
  { required: ['port'] },
);
const handlers = {
  exec: object({ command: list(text, undefined, 1) }, { required: ['command'] }),
  httpGet,
  tcpSocket: object({ port: { kind: 'port' }, host: text }, { required: ['port'] }),
} as const;

const probe = object(
  {
    ...handlers,
    initialDelaySeconds: count,
    periodSeconds: { kind: 'integer', min: 1 },
    timeoutSeconds: { kind: 'integer', min: 1 },
    successThreshold: { kind: 'integer', min: 1 },
    failureThreshold: { kind: 'integer', min: 1 },
    terminationGracePeriodSeconds: { kind: 'integer', min: 1 },
  },
  { refused: ['grpc'], oneOf: ['exec', 'httpGet', 'tcpSocket'] },
);
const hook = object(
  { exec: handlers.exec, httpGet, sleep: object({ seconds: count }, { required: ['seconds'] }) },
  { refused: ['tcpSocket'], oneOf: ['exec', 'httpGet', 'sleep'] },
);

const seccompProfile = object(
  { type: words('RuntimeDefault', 'Unconfined') },
  { required: ['type'], refused: ['localhostProfile'] },
);

const securityContext = object(
  {
    runAsUser: id,
    runAsGroup: id,
    runAsNonRoot: flag,
    readOnlyRootFilesystem: flag,
    allowPrivilegeEscalation: flag,
    privileged: flag,
    capabilities: object({ add: list(text), drop: list(text) }),
    seccompProfile,
  },
  { refused: ['seLinuxOptions', 'windowsOptions', 'procMount', 'appArmorProfile'] },
);

const quantities = map({ kind: 'quantity' });
const resources = object(
  {
    requests: quantities,
    limits: quantities,
  },
  { refused: ['claims'] },
);

const containerFields = {
  name: label,
  image: text,
  imagePullPolicy: words('Always', 'IfNotPresent', 'Never'),
  command: list(text),
  args: list(text),
  workingDir: text,
  ports: list(
    object(
      { name: text, containerPort: port, hostPort: port, protocol: words('TCP', 'UDP') },
      { required: ['containerPort'], refused: ['hostIP'] },
    ),
  ),
  env: list(
    object(
      {
        name: text,
        value: text,
        valueFrom: object(
          { configMapKeyRef: keySelector, secretKeyRef: keySelector, fieldRef, resourceFieldRef },
          {
            refused: ['fileKeyRef'],
            oneOf: ['configMapKeyRef', 'secretKeyRef', 'fieldRef', 'resourceFieldRef'],
          },
        ),
      },
      { required: ['name'] },
    ),
  ),
  envFrom: list(
    object(
      {
        prefix: text,
        configMapRef: object({ name, optional: flag }, { required: ['name'] }),
        secretRef: object({ name, optional: flag }, { required: ['name'] }),
      },
      { oneOf: ['configMapRef', 'secretRef'] },
    ),
  ),
  resources,
  volumeMounts: list(
    object(
      { name: label, mountPath: text, subPath: text, readOnly: flag },
      {
        required: ['name', 'mountPath'],
        refused: ['subPathExpr', 'mountPropagation', 'recursiveReadOnly'],
      },
    ),
    'mountPath',
  ),
  startupProbe: probe,
  readinessProbe: probe,
  livenessProbe: probe,
  lifecycle: object({ postStart: hook, preStop: hook }, { refused: ['stopSignal'] }),
  securityContext,
} as const;

const containerRefused = [
  'stdin',
  'stdinOnce',
  'tty',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'volumeDevices',
  'resizePolicy',
  'restartPolicyRules',
];

const container = object(containerFields, {
  required: ['name', 'image'],
  refused: [...containerRefused, 'restartPolicy'],
});
const initContainer = object(
  { ...containerFields, restartPolicy: words('Always') },
  { required: ['name', 'image'], refused: containerRefused },
);

const keyToPath = object({ key: text, path: text, mode }, { required: ['key', 'path'] });
const fileSource = { items: list(keyToPath), optional: flag, defaultMode: mode } as const;
const downwardAPI = object({
  items: list(
    object(
      { path: text, fieldRef, resourceFieldRef, mode },
      { required: ['path'], oneOf: ['fieldRef', 'resourceFieldRef'] },
    ),
  ),
  defaultMode: mode,
});

const VOLUME_SOURCES = ['emptyDir', 'configMap', 'secret', 'downwardAPI', 'projected'];
const volume = object(
  {
    name: label,
    emptyDir: object({ medium: words('', 'Memory'), sizeLimit: { kind: 'quantity' } }),
    configMap: object({ name, ...fileSource }, { required: ['name'] }),
    secret: object({ secretName: name, ...fileSource }, { required: ['secretName'] }),
    downwardAPI,
    projected: object(
      {
        defaultMode: mode,
        sources: list(
          object(
            {
              configMap: object(
                { name, items: fileSource.items, optional: flag },
                { required: ['name'] },
              ),
              secret: object(
                { name, items: fileSource.items, optional: flag },
                { required: ['name'] },
              ),
              downwardAPI: object({ items: downwardAPI.fields.items as Shape }),
            },
            {
              refused: ['serviceAccountToken', 'clusterTrustBundle', 'podCertificate'],
              oneOf: ['configMap', 'secret', 'downwardAPI'],
            },
          ),
        ),
      },
      { required: ['sources'] },
    ),
  },
  {
    required: ['name'],
    refused: [
      'hostPath',
      'persistentVolumeClaim',
      'nfs',
      'csi',
      'ephemeral',
      'image',
      'iscsi',
      'gitRepo',
      'fc',
    ],
    oneOf: VOLUME_SOURCES,
  },
);

export const podSpec = object(
  {
    initContainers: list(initContainer, 'name'),
    containers: list(container, 'name', 1),
    volumes: list(volume, 'name'),
    restartPolicy: words('Always', 'OnFailure', 'Never'),
    terminationGracePeriodSeconds: count,
    hostname: label,
    shareProcessNamespace: flag,
    hostAliases: list(object({ ip: text, hostnames: list(text) }, { required: ['ip'] })),
    securityContext: object(
      {
        runAsUser: id,
        runAsGroup: id,
        runAsNonRoot: flag,
        fsGroup: id,
        supplementalGroups: list(id),
        seccompProfile,
        sysctls: list(object({ name: text, value: text }, { required: ['name', 'value'] })),
      },
      {
        refused: [
          'seLinuxOptions',
          'windowsOptions',
          'appArmorProfile',
          'fsGroupChangePolicy',
          'supplementalGroupsPolicy',
          'seLinuxChangePolicy',
        ],
      },
    ),
    // True or not, there are no variables of Services here: names do.
    enableServiceLinks: flag,
    // Nothing here talks to an API server, so there is no token to mount.
    automountServiceAccountToken: flag,
    serviceAccountName: text,
  },
  {
    required: ['containers'],
    refused: [
      'activeDeadlineSeconds',
      'affinity',
      'dnsConfig',
      'dnsPolicy',
      'ephemeralContainers',
      'hostIPC',
      'hostNetwork',
      'hostPID',
      'hostUsers',
      'imagePullSecrets',
      'nodeName',
      'nodeSelector',
      'os',
      'overhead',
      'preemptionPolicy',
      'priority',
      'priorityClassName',
      'readinessGates',
      'resourceClaims',
      'resources',
      'runtimeClassName',
      'schedulerName',
      'schedulingGates',
      'setHostnameAsFQDN',
      'subdomain',
      'tolerations',
      'topologySpreadConstraints',
    ],
  },
);

const top = { apiVersion: text, kind: text, metadata, status: { kind: 'any' } } as const;
const template = object({ metadata, spec: podSpec }, { required: ['spec'] });
const selector = object({ matchLabels: map(text) }, { refused: ['matchExpressions'] });

/** The kinds that can be applied, with their API versions. */
export const KINDS: Readonly<
  Record<string, { readonly apiVersion: string; readonly shape: ObjectShape }>
> = {
  Pod: {
    apiVersion: 'v1',
    shape: object({ ...top, spec: podSpec }, { required: ['metadata', 'spec'] }),
  },
  ConfigMap: {
    apiVersion: 'v1',
    shape: object(
      { ...top, data: map(text), binaryData: map(text), immutable: flag },
      { required: ['metadata'] },
    ),
  },
  Secret: {
    apiVersion: 'v1',
    shape: object(
      { ...top, data: map(text), stringData: map(text), type: text, immutable: flag },
      { required: ['metadata'] },
    ),
  },
  Service: {
    apiVersion: 'v1',
    shape: object(
      {
        ...top,
        spec: object(
          {
            selector: map(text),
            type: words('ClusterIP', 'NodePort', 'LoadBalancer'),
            clusterIP: words('None'),
            publishNotReadyAddresses: flag,
            ports: list(
              object(
                {
                  name: text,
                  port,
                  targetPort: { kind: 'port' },
                  nodePort: port,
                  protocol: words('TCP'),
                  appProtocol: text,
                },
                { required: ['port'] },
              ),
              'name',
              1,
            ),
          },
          {
            required: ['ports', 'selector'],
            refused: [
              'externalIPs',
              'externalName',
              'externalTrafficPolicy',
              'internalTrafficPolicy',
              'ipFamilies',
              'ipFamilyPolicy',
              'loadBalancerIP',
              'loadBalancerSourceRanges',
              'sessionAffinity',
              'trafficDistribution',
            ],
          },
        ),
      },
      { required: ['metadata', 'spec'] },
    ),
  },
  Deployment: {
    apiVersion: 'apps/v1',
    shape: object(
      {
        ...top,
        spec: object(
          {
            replicas: count,
            selector,
            template,
            strategy: { kind: 'any' },
            minReadySeconds: count,
            revisionHistoryLimit: count,
            progressDeadlineSeconds: count,
          },
          { required: ['selector', 'template'], refused: ['paused'] },
        ),
      },
      { required: ['metadata', 'spec'] },
    ),
  },
  StatefulSet: {
    apiVersion: 'apps/v1',
    shape: object(
      {
        ...top,
        spec: object(
          {
            replicas: count,
            selector,
            template,
            serviceName: text,
            updateStrategy: { kind: 'any' },
            podManagementPolicy: words('OrderedReady', 'Parallel'),
            minReadySeconds: count,
            revisionHistoryLimit: count,
          },
          {
            required: ['selector', 'template'],
            refused: ['volumeClaimTemplates', 'persistentVolumeClaimRetentionPolicy', 'ordinals'],
          },
        ),
      },
      { required: ['metadata', 'spec'] },
    ),
  },
  Job: {
    apiVersion: 'batch/v1',
    shape: object(
      {
        ...top,
        spec: object(
          {
            template,
            backoffLimit: { kind: 'integer', min: 0, max: 0 },
            completions: { kind: 'integer', min: 1, max: 1 },
            parallelism: { kind: 'integer', min: 1, max: 1 },
            ttlSecondsAfterFinished: count,
          },
          {
            required: ['template'],
            refused: [
              'activeDeadlineSeconds',
              'completionMode',
              'manualSelector',
              'podFailurePolicy',
              'podReplacementPolicy',
              'selector',
              'successPolicy',
              'suspend',
              'backoffLimitPerIndex',
              'maxFailedIndexes',
              'managedBy',
            ],
          },
        ),
      },
      { required: ['metadata', 'spec'] },
    ),
  },
};
