import { readFileSync } from 'node:fs';

/** The answer of an API server to a manifest. */
export interface Verdict {
  readonly accepted: boolean;
  /** Its reason for a refusal. */
  readonly reason?: string;
}

/** The recorded verdicts, by title. */
export interface Verdicts {
  /** The version of the API server, such as v1.36.2. */
  readonly server: string;
  readonly verdicts: Readonly<Record<string, Verdict>>;
}

export const VERDICTS = new URL('verdicts.json', import.meta.url);

/** Reads what `verdicts.test.ts` recorded. */
export function recordedVerdicts(): Verdicts {
  return JSON.parse(readFileSync(VERDICTS, 'utf8'));
}

const pod = (spec: string, metadata = 'name: web') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec: {${spec}}\n`;
const container = (fields: string, spec = '') =>
  pod(`containers: [{name: a, image: x${fields && `, ${fields}`}}]${spec && `, ${spec}`}`);
const volume = (fields: string) => container('', `volumes: [{name: data, ${fields}}]`);
const deployment = (fields: string, labels = 'app: w') =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {${fields}, template: {metadata: {labels: {${labels}}}, spec: {containers: [{name: a, image: x}]}}}\n`;
const job = (fields: string, policy = 'Never') =>
  `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {${fields && `${fields}, `}template: {spec: {restartPolicy: ${policy}, containers: [{name: a, image: x}]}}}\n`;
const workload = (kind: string, fields: string) =>
  deployment(fields).replace('kind: Deployment', `kind: ${kind}`);
const claim = (fields: string) =>
  `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {${fields}}\n`;
const cronJob = (schedule: string, fields = '') =>
  `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: {schedule: "${schedule}", ${fields}jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}}}\n`;
const data = (kind: string, fields: string) =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: d}\n${fields}\n`;
const service = (fields: string, name = 's') =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {${fields}}\n`;

const PROBE = 'tcpSocket: {port: 1}';
const SELECTOR = 'selector: {matchLabels: {app: w}}';

const forSystem = (name: string, fields = '') => `os: {name: "${name}"}${fields && `, ${fields}`}`;
/** Fields that only one operating system has, with values and without. */
const SYSTEM_FIELDS = [
  ...['hostPID', 'hostIPC', 'shareProcessNamespace'].flatMap((field) => [
    `${field}: true`,
    `${field}: false`,
  ]),
  'hostUsers: true',
  'hostNetwork: true',
  'resources: {limits: {memory: 64Mi}}',
];
const SYSTEM_BOTH = [
  'runAsNonRoot: true',
  'runAsUser: 1',
  'runAsGroup: 1',
  'seccompProfile: {type: RuntimeDefault}',
  'seLinuxOptions: {}',
  'appArmorProfile: {type: RuntimeDefault}',
  'windowsOptions: {}',
  'windowsOptions: {runAsUserName: a}',
];
const SYSTEM_CONTEXTS = [
  ...SYSTEM_BOTH,
  'fsGroup: 2',
  'fsGroup: null',
  'fsGroupChangePolicy: Always',
  'supplementalGroups: [1]',
  'supplementalGroups: []',
  'supplementalGroupsPolicy: Merge',
  'sysctls: [{name: kernel.shm_rmid_forced, value: "0"}]',
  'sysctls: []',
  'seLinuxChangePolicy: Recursive',
  'seLinuxChangePolicy: null',
];
const SYSTEM_CONTAINERS = [
  ...SYSTEM_BOTH,
  'capabilities: {}',
  'capabilities: {drop: [ALL]}',
  'readOnlyRootFilesystem: false',
  'privileged: false',
  'allowPrivilegeEscalation: false',
  'procMount: Default',
];

/** Good and bad manifests; the verdict on each is that of a real API server. */
export const CORPUS: readonly (readonly [title: string, manifest: string])[] = [
  ['a plain Pod', container('')],
  ['a Pod without containers', pod('containers: []')],
  ['a container without an image', pod('containers: [{name: a}]')],
  ['an image with a space', pod('containers: [{name: a, image: " x"}]')],
  ['a name with capitals', pod('containers: [{name: a, image: x}]', 'name: Web')],
  ['a name with dots', pod('containers: [{name: a, image: x}]', 'name: web.v1')],
  [
    'a name of 254 characters',
    pod('containers: [{name: a, image: x}]', `name: ${'a'.repeat(254)}`),
  ],
  [
    'a name of 253 characters',
    pod('containers: [{name: a, image: x}]', `name: ${'a'.repeat(253)}`),
  ],
  ['a container name with a dot', pod('containers: [{name: a.b, image: x}]')],
  ['two containers of one name', pod('containers: [{name: a, image: x}, {name: a, image: x}]')],
  ['an unknown field', container('comand: [a]')],
  [
    'a label value with a space',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a: "b c"}'),
  ],
  [
    'a label value of 64 characters',
    pod('containers: [{name: a, image: x}]', `name: web, labels: {a: ${'b'.repeat(64)}}`),
  ],
  ['an empty label value', pod('containers: [{name: a, image: x}]', 'name: web, labels: {a: ""}')],
  [
    'a label key with two slashes',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a/b/c: d}'),
  ],
  [
    'a label key with a prefix',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a.b/c_d: e}'),
  ],
  [
    'an annotation with capitals',
    pod('containers: [{name: a, image: x}]', 'name: web, annotations: {A.b/C: "x y"}'),
  ],
  [
    'an annotation key that begins with an underscore',
    pod('containers: [{name: a, image: x}]', 'name: web, annotations: {_a: x}'),
  ],
  ['a number as a label', pod('containers: [{name: a, image: x}]', 'name: web, labels: {a: 5}')],
  ['an octal user', container('securityContext: {runAsUser: 01750}')],
  ['a negative user', container('securityContext: {runAsUser: -1}')],
  ['a boolean as the value of a variable', container('env: [{name: A, value: yes}]')],
  ['a variable name with a dash', container('env: [{name: a-b, value: c}]')],
  ['a variable name with an equals sign', container('env: [{name: "a=b", value: c}]')],
  [
    'a variable with a value and a source',
    container('env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]'),
  ],
  [
    'a variable of all labels',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}]'),
  ],
  [
    'a variable of one label',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels[\'a\']"}}}]'),
  ],
  [
    'a variable of the host address',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}]'),
  ],
  [
    'a variable of an unknown field',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.hostname}}}]'),
  ],
  ['a port above 65535', container('ports: [{containerPort: 65536}]')],
  [
    'two ports of one name',
    container('ports: [{containerPort: 1, name: p}, {containerPort: 2, name: p}]'),
  ],
  ['a port name of 16 letters', container('ports: [{containerPort: 1, name: abcdefghijklmnop}]')],
  ['a protocol in small letters', container('ports: [{containerPort: 1, protocol: tcp}]')],
  ['a request above its limit', container('resources: {limits: {cpu: 1}, requests: {cpu: 2}}')],
  ['a quantity with a word', container('resources: {limits: {memory: 1GB}}')],
  ['a negative quantity', container('resources: {limits: {cpu: -1}}')],
  ['a resource without a domain', container('resources: {limits: {gpu: 1}}')],
  ['a probe without a handler', container('livenessProbe: {periodSeconds: 1}')],
  ['a probe with two handlers', container(`livenessProbe: {${PROBE}, exec: {command: [a]}}`)],
  ['a gRPC probe', container('livenessProbe: {grpc: {port: 5}}')],
  ['a gRPC probe of a named port', container('livenessProbe: {grpc: {port: web}}')],
  ['a period of 0', container(`livenessProbe: {${PROBE}, periodSeconds: 0}`)],
  ['a negative period', container(`livenessProbe: {${PROBE}, periodSeconds: -1}`)],
  [
    'a liveness success threshold of 2',
    container(`livenessProbe: {${PROBE}, successThreshold: 2}`),
  ],
  [
    'a readiness grace period',
    container(`readinessProbe: {${PROBE}, terminationGracePeriodSeconds: 5}`),
  ],
  [
    'a probe header with a colon',
    container('livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: "a:", value: b}]}}'),
  ],
  [
    'a preStop sleep longer than the grace period',
    container('lifecycle: {preStop: {sleep: {seconds: 31}}}'),
  ],
  [
    'a preStop sleep as long as the grace period',
    container('lifecycle: {preStop: {sleep: {seconds: 30}}}'),
  ],
  ['a preStop sleep of 0', container('lifecycle: {preStop: {sleep: {seconds: 0}}}')],
  ['a hook without a handler', container('lifecycle: {preStop: {}}')],
  ['a mount of no volume', container('volumeMounts: [{name: v, mountPath: /v}]')],
  [
    'two mounts on one path',
    container(
      'volumeMounts: [{name: data, mountPath: /v}, {name: data, mountPath: /v}]',
      'volumes: [{name: data}]',
    ),
  ],
  [
    'a relative mount path',
    container('volumeMounts: [{name: data, mountPath: v}]', 'volumes: [{name: data}]'),
  ],
  [
    'a mount path with a colon',
    container('volumeMounts: [{name: data, mountPath: "/v:w"}]', 'volumes: [{name: data}]'),
  ],
  [
    'a subPath with ..',
    container(
      'volumeMounts: [{name: data, mountPath: /v, subPath: a/../b}]',
      'volumes: [{name: data}]',
    ),
  ],
  [
    'an absolute subPath',
    container(
      'volumeMounts: [{name: data, mountPath: /v, subPath: /a}]',
      'volumes: [{name: data}]',
    ),
  ],
  ['a volume without a source', container('', 'volumes: [{name: data}]')],
  ['a volume with two sources', volume('emptyDir: {}, hostPath: {path: /a}')],
  ['a hostPath with ..', volume('hostPath: {path: /a/../b}')],
  ['a hostPath', volume('hostPath: {path: /a}')],
  ['an octal mode', volume('configMap: {name: c, optional: true, defaultMode: 0400}')],
  ['a mode above 0777', volume('configMap: {name: c, optional: true, defaultMode: 512}')],
  [
    'an item with ..',
    volume('configMap: {name: c, optional: true, items: [{key: k, path: ../x}]}'),
  ],
  [
    'an item that begins with two dots',
    volume('configMap: {name: c, optional: true, items: [{key: k, path: ..x}]}'),
  ],
  [
    'an item in a folder',
    volume('configMap: {name: c, optional: true, items: [{key: k, path: a/b}]}'),
  ],
  ['a projected volume without sources', volume('projected: {}')],
  [
    'a downward volume of the host address',
    volume('downwardAPI: {items: [{path: p, fieldRef: {fieldPath: status.hostIP}}]}'),
  ],
  [
    'a downward volume of all labels',
    volume('downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.labels}}]}'),
  ],
  ['an emptyDir of negative size', volume('emptyDir: {sizeLimit: -1}')],
  ['an unknown restart policy', container('', 'restartPolicy: Sometimes')],
  ['a negative grace period', container('', 'terminationGracePeriodSeconds: -1')],
  ['a deadline of 0', container('', 'activeDeadlineSeconds: 0')],
  ['dnsPolicy None without nameservers', container('', 'dnsPolicy: None')],
  [
    'a nameserver that is a name',
    container('', 'dnsPolicy: None, dnsConfig: {nameservers: [dns.example]}'),
  ],
  [
    'four nameservers',
    container('', 'dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}'),
  ],
  ['a host alias that is no address', container('', 'hostAliases: [{ip: host, hostnames: [a]}]')],
  ['a hostname with a dot', container('', 'hostname: a.b')],
  [
    'a shared process namespace with that of the host',
    container('', 'hostPID: true, shareProcessNamespace: true'),
  ],
  [
    'privileged without escalation',
    container('securityContext: {privileged: true, allowPrivilegeEscalation: false}'),
  ],
  [
    'an init container with a liveness probe',
    container('', `initContainers: [{name: i, image: x, livenessProbe: {${PROBE}}}]`),
  ],
  [
    'a sidecar with a liveness probe',
    container(
      '',
      `initContainers: [{name: i, image: x, restartPolicy: Always, livenessProbe: {${PROBE}}}]`,
    ),
  ],
  [
    'an init container with the name of a container',
    container('', 'initContainers: [{name: a, image: x}]'),
  ],
  ['a Deployment', deployment(SELECTOR)],
  ['a Deployment with another selector', deployment('selector: {matchLabels: {app: other}}')],
  ['a Deployment with an empty selector', deployment('selector: {}')],
  [
    'a Deployment with a matching expression',
    deployment('selector: {matchExpressions: [{key: app, operator: In, values: [w]}]}'),
  ],
  [
    'a Deployment with a foreign expression',
    deployment('selector: {matchExpressions: [{key: app, operator: NotIn, values: [w]}]}'),
  ],
  [
    'an operator without values',
    deployment('selector: {matchExpressions: [{key: app, operator: In}]}'),
  ],
  ['negative replicas', deployment(`replicas: -1, ${SELECTOR}`)],
  ['a Job', job('')],
  ['a Job that restarts always', job('', 'Always')],
  ['a Job with a negative back-off limit', job('backoffLimit: -1')],
  ['a CronJob', cronJob('*/5 * * * *')],
  ['a CronJob of every hour', cronJob('@hourly')],
  ['a CronJob with four fields', cronJob('* * * *')],
  ['a CronJob in minute 60', cronJob('60 * * * *')],
  ['a ConfigMap', data('ConfigMap', 'data: {a: b}')],
  ['a ConfigMap with a slash in a key', data('ConfigMap', 'data: {a/b: c}')],
  ['a ConfigMap key that begins with two dots', data('ConfigMap', 'data: {..a: c}')],
  ['a ConfigMap key that is a dot', data('ConfigMap', 'data: {.: c}')],
  ['a ConfigMap key __proto__', data('ConfigMap', 'data: {__proto__: c}')],
  ['a ConfigMap with a number', data('ConfigMap', 'data: {a: 5}')],
  ['a ConfigMap with a key twice', data('ConfigMap', 'data: {a: b}\nbinaryData: {a: Yg==}')],
  ['a ConfigMap of more than 1 MiB', data('ConfigMap', `data: {a: ${'x'.repeat(1_048_577)}}`)],
  ['a Secret', data('Secret', 'data: {a: Yg==}')],
  ['a Secret with a slash in a key', data('Secret', 'stringData: {../a: c}')],
  ['a Secret that is not base64', data('Secret', 'data: {a: "***"}')],
  ['a TLS Secret without a key', data('Secret', 'type: kubernetes.io/tls\ndata: {tls.crt: Yg==}')],
  [
    'a basic-auth Secret without a name',
    data('Secret', 'type: kubernetes.io/basic-auth\nstringData: {a: b}'),
  ],
  ['a Service', service('selector: {app: w}, ports: [{port: 80}]')],
  ['a Service that begins with a digit', service('selector: {app: w}, ports: [{port: 80}]', '1s')],
  ['a Service with a dot', service('selector: {app: w}, ports: [{port: 80}]', 'a.b')],
  ['a Service without ports', service('selector: {app: w}')],
  ['a headless Service without ports', service('selector: {app: w}, clusterIP: None')],
  [
    'a Service with two unnamed ports',
    service('selector: {app: w}, ports: [{port: 80}, {port: 81}]'),
  ],
  [
    'a Service port name of 20 letters',
    service('selector: {app: w}, ports: [{port: 80, name: abcdefghijklmnopqrst}]'),
  ],
  [
    'a Service with a port twice',
    service('selector: {app: w}, ports: [{port: 80, name: a}, {port: 80, name: b}]'),
  ],
  [
    'a node port of a ClusterIP',
    service('selector: {app: w}, ports: [{port: 80, nodePort: 30080}]'),
  ],
  [
    'a headless NodePort',
    service('type: NodePort, clusterIP: None, selector: {app: w}, ports: [{port: 80}]'),
  ],

  // Workloads of other kinds.
  ['a StatefulSet', workload('StatefulSet', 'serviceName: w, selector: {matchLabels: {app: w}}')],
  ['a StatefulSet without a Service', workload('StatefulSet', SELECTOR)],
  ['a StatefulSet without a selector', workload('StatefulSet', 'serviceName: w')],
  [
    'a StatefulSet with a claim',
    workload(
      'StatefulSet',
      `serviceName: w, ${SELECTOR}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]`,
    ),
  ],
  [
    'a StatefulSet with an unknown policy',
    workload('StatefulSet', `serviceName: w, ${SELECTOR}, podManagementPolicy: Fast`),
  ],
  ['a DaemonSet', workload('DaemonSet', SELECTOR)],
  ['a DaemonSet with replicas', workload('DaemonSet', `replicas: 2, ${SELECTOR}`)],
  ['a ReplicaSet', workload('ReplicaSet', SELECTOR)],
  [
    'a Deployment whose Pods end',
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {${SELECTOR}, template: {metadata: {labels: {app: w}}, spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}\n`,
  ],
  ['a Deployment with an unknown strategy', deployment(`strategy: {type: Rolling}, ${SELECTOR}`)],
  [
    'a Deployment that neither surges nor misses a Pod',
    deployment(`strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}, ${SELECTOR}`),
  ],
  ['a Deployment with a negative history', deployment(`revisionHistoryLimit: -1, ${SELECTOR}`)],
  [
    'a Deployment that takes longer than its deadline',
    deployment(`minReadySeconds: 600, progressDeadlineSeconds: 600, ${SELECTOR}`),
  ],
  ['a Deployment of an old version', deployment(SELECTOR).replace('apps/v1', 'extensions/v1beta1')],
  ['a Job with completions', job('completions: 3, parallelism: 2')],
  ['a Job with negative parallelism', job('parallelism: -1')],
  ['an indexed Job', job('completionMode: Indexed, completions: 2')],
  ['an indexed Job without completions', job('completionMode: Indexed')],
  ['a Job with a deadline of 0', job('activeDeadlineSeconds: 0')],
  ['a Job with a negative time to live', job('ttlSecondsAfterFinished: -1')],
  ['a CronJob with a time zone', cronJob('0 3 * * *', 'timeZone: Europe/Zurich, ')],
  ['a CronJob with an unknown time zone', cronJob('0 3 * * *', 'timeZone: Mars/Olympus, ')],
  ['a CronJob with a time zone in its schedule', cronJob('CRON_TZ=UTC 0 3 * * *')],
  ['a CronJob with an unknown policy', cronJob('0 3 * * *', 'concurrencyPolicy: Wait, ')],
  ['a CronJob by the names of days', cronJob('0 3 * jan-mar mon,FRI')],
  ['a CronJob on day 0', cronJob('0 3 0 * *')],
  ['a CronJob every 0 minutes', cronJob('*/0 * * * *')],
  ['a CronJob in its own words', cronJob('@every 5m')],

  // Containers and their Pod.
  ['a restart policy of a container', container('restartPolicy: Always')],
  [
    'an init container that restarts on failure',
    container('', 'initContainers: [{name: i, image: x, restartPolicy: OnFailure}]'),
  ],
  [
    'an init container with a hook',
    container(
      '',
      'initContainers: [{name: i, image: x, lifecycle: {preStop: {sleep: {seconds: 1}}}}]',
    ),
  ],
  [
    'a sidecar with a hook',
    container(
      '',
      'initContainers: [{name: i, image: x, restartPolicy: Always, lifecycle: {preStop: {sleep: {seconds: 1}}}}]',
    ),
  ],
  ['an unknown pull policy', container('imagePullPolicy: Sometimes')],
  ['a termination message file that is relative', container('terminationMessagePath: log')],
  ['an unknown termination message policy', container('terminationMessagePolicy: Log')],
  ['a stdin that is read once', container('stdin: true, stdinOnce: true, tty: true')],
  [
    'a container of user 0 that must not be root',
    container('securityContext: {runAsUser: 0, runAsNonRoot: true}'),
  ],
  [
    'a capability with its prefix',
    container('securityContext: {capabilities: {add: [CAP_NET_ADMIN]}}'),
  ],
  ['an unknown seccomp profile', container('securityContext: {seccompProfile: {type: Strict}}')],
  [
    'a local seccomp profile without a file',
    container('securityContext: {seccompProfile: {type: Localhost}}'),
  ],
  ['a group below 0', container('', 'securityContext: {fsGroup: -1}')],
  [
    'a sysctl twice',
    container(
      '',
      'securityContext: {sysctls: [{name: net.a, value: "1"}, {name: net.a, value: "2"}]}',
    ),
  ],
  [
    'an unknown policy of group changes',
    container('', 'securityContext: {fsGroup: 1, fsGroupChangePolicy: Never}'),
  ],
  ['a toleration of everything', container('', 'tolerations: [{operator: Exists}]')],
  [
    'a toleration with an unknown operator',
    container('', 'tolerations: [{operator: Has, key: a}]'),
  ],
  ['a node selector with a space', container('', 'nodeSelector: {a: "b c"}')],
  ['two pull secrets', container('', 'imagePullSecrets: [{name: a}, {name: b}]')],
  ['an unknown operating system', container('', 'os: {name: plan9}')],
  ['a readiness gate', container('', 'readinessGates: [{conditionType: example.org/up}]')],
  [
    'a host port in use twice',
    container('ports: [{containerPort: 1, hostPort: 5}, {containerPort: 2, hostPort: 5}]'),
  ],
  ['a port 0', container('ports: [{containerPort: 0}]')],
  ['a port as a text', container('ports: [{containerPort: "80"}]')],
  ['an HTTP probe of port 0', container('livenessProbe: {httpGet: {port: 0}}')],
  ['an HTTP probe of an unknown name', container('livenessProbe: {httpGet: {port: nowhere}}')],
  [
    'an HTTP probe by another scheme',
    container('livenessProbe: {httpGet: {port: 1, scheme: FTP}}'),
  ],
  ['a path without a slash', container('livenessProbe: {httpGet: {port: 1, path: healthz}}')],
  ['an exec probe without a command', container('livenessProbe: {exec: {command: []}}')],
  ['a timeout of a fraction', container(`livenessProbe: {${PROBE}, timeoutSeconds: 0.5}`)],
  ['a limit without a request', container('resources: {limits: {cpu: 500m, memory: 64Mi}}')],
  ['a memory of half a byte', container('resources: {limits: {memory: 100m}}')],
  ['a cpu below a thousandth', container('resources: {limits: {cpu: 1u}}')],
  ['an extended resource of a fraction', container('resources: {limits: {example.org/gpu: 500m}}')],
  [
    'an extended resource with another request',
    container('resources: {limits: {example.org/gpu: 2}, requests: {example.org/gpu: 1}}'),
  ],
  ['a claim of resources that the Pod has not', container('resources: {claims: [{name: gpu}]}')],
  [
    'a variable of a limit',
    container('env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]'),
  ],
  [
    'a variable of an unknown resource',
    container('env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}]'),
  ],
  [
    'a prefix with an equals sign',
    container('envFrom: [{prefix: "a=", configMapRef: {name: c, optional: true}}]'),
  ],
  ['a source of variables that is none', container('envFrom: [{prefix: A_}]')],
  [
    'a variable of a key with a slash',
    container(
      'env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: a/b, optional: true}}}]',
    ),
  ],
  ['an empty variable name', container('env: [{name: "", value: a}]')],
  [
    'a mount by two sub-paths',
    container(
      'volumeMounts: [{name: data, mountPath: /v, subPath: a, subPathExpr: b}]',
      'volumes: [{name: data}]',
    ),
  ],
  [
    'an empty mount path',
    container('volumeMounts: [{name: data, mountPath: ""}]', 'volumes: [{name: data}]'),
  ],
  [
    'a propagation to the host',
    container(
      'volumeMounts: [{name: data, mountPath: /v, mountPropagation: Bidirectional}]',
      'volumes: [{name: data}]',
    ),
  ],
  ['two volumes of one name', container('', 'volumes: [{name: data}, {name: data}]')],
  ['a volume with capitals', container('', 'volumes: [{name: Data}]')],
  ['an emptyDir of an unknown medium', volume('emptyDir: {medium: Disk}')],
  ['an emptyDir of huge pages', volume('emptyDir: {medium: HugePages}')],
  ['a ConfigMap volume without a name', volume('configMap: {}')],
  ['a Secret volume without a name', volume('secret: {}')],
  ['a Secret volume by the wrong field', volume('secret: {name: s}')],
  ['an item without a path', volume('configMap: {name: c, items: [{key: k}]}')],
  [
    'two items on one path',
    volume('configMap: {name: c, items: [{key: k, path: p}, {key: l, path: p}]}'),
  ],
  [
    'a token for a minute',
    volume('projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 60}}]}'),
  ],
  [
    'a token for an hour',
    volume('projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 3600}}]}'),
  ],
  [
    'two projections on one path',
    volume(
      'projected: {sources: [{configMap: {name: c, items: [{key: k, path: p}]}}, {secret: {name: s, items: [{key: k, path: p}]}}]}',
    ),
  ],
  ['a hostPath of an unknown type', volume('hostPath: {path: /a, type: Folder}')],
  ['a claim volume', volume('persistentVolumeClaim: {claimName: c}')],
  ['a claim volume without a name', volume('persistentVolumeClaim: {}')],
  ['an image volume', volume('image: {reference: x, pullPolicy: IfNotPresent}')],
  ['a subdomain with a dot', container('', 'subdomain: a.b')],
  ['a DNS option without a name', container('', 'dnsConfig: {options: [{value: "5"}]}')],
  ['a service account with capitals', container('', 'serviceAccountName: Admin')],
  ['a name and its generator', pod('containers: [{name: a, image: x}]', 'generateName: web-')],
  ['no name at all', pod('containers: [{name: a, image: x}]', 'labels: {a: b}')],

  // Data and Services.
  ['an immutable ConfigMap', data('ConfigMap', 'immutable: true\ndata: {a: b}')],
  ['a ConfigMap of bytes that are no base64', data('ConfigMap', 'binaryData: {a: "***"}')],
  ['a ConfigMap without data', data('ConfigMap', '')],
  ['a ConfigMap with an empty key', data('ConfigMap', 'data: {"": c}')],
  ['a Secret of a type of its own', data('Secret', 'type: example.org/token\nstringData: {a: b}')],
  [
    'a Secret of a registry without its file',
    data('Secret', 'type: kubernetes.io/dockerconfigjson\nstringData: {a: b}'),
  ],
  [
    'a Secret of a registry whose file is no JSON',
    data('Secret', 'type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: "{"}'),
  ],
  [
    'an SSH Secret without a key',
    data('Secret', 'type: kubernetes.io/ssh-auth\nstringData: {a: b}'),
  ],
  ['a Secret with a number', data('Secret', 'stringData: {a: 5}')],
  ['a Service without a selector', service('ports: [{port: 80}]')],
  ['a Service by another name', service('type: ExternalName, externalName: db.example.org')],
  [
    'a Service by another name with an address',
    service('type: ExternalName, externalName: 10.0.0.1'),
  ],
  ['a Service by no other name', service('type: ExternalName')],
  [
    'a NodePort out of its range',
    service('type: NodePort, selector: {app: w}, ports: [{port: 80, nodePort: 80}]'),
  ],
  [
    'a Service of an unknown type',
    service('type: Public, selector: {app: w}, ports: [{port: 80}]'),
  ],
  ['a Service on port 0', service('selector: {app: w}, ports: [{port: 0}]')],
  [
    'a target port of 16 letters',
    service('selector: {app: w}, ports: [{port: 80, targetPort: abcdefghijklmnop}]'),
  ],
  ['a Service for SCTP', service('selector: {app: w}, ports: [{port: 80, protocol: SCTP}]')],
  [
    'a Service with an unknown affinity',
    service('selector: {app: w}, ports: [{port: 80}], sessionAffinity: Cookie'),
  ],
  ['a claim', claim('accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}')],
  ['a claim without a size', claim('accessModes: [ReadWriteOnce]')],
  ['a claim without a mode', claim('resources: {requests: {storage: 1Gi}}')],
  [
    'a claim with an unknown mode',
    claim('accessModes: [ReadWrite], resources: {requests: {storage: 1Gi}}'),
  ],
  [
    'a toleration of Exists with a value',
    container('', 'tolerations: [{key: a, operator: Exists, value: b}]'),
  ],
  ['a toleration without a key', container('', 'tolerations: [{value: b}]')],
  [
    'a toleration with an unknown effect',
    container('', 'tolerations: [{key: a, operator: Exists, effect: Never}]'),
  ],
  [
    'a toleration for seconds without NoExecute',
    container('', 'tolerations: [{key: a, operator: Exists, tolerationSeconds: 5}]'),
  ],
  [
    'a toleration for seconds',
    container(
      '',
      'tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 5}]',
    ),
  ],
  [
    'a toleration with a misspelled field',
    container('', 'tolerations: [{keys: a, operator: Exists}]'),
  ],
  [
    'a node affinity',
    container(
      '',
      'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]}]}}}',
    ),
  ],
  [
    'a node affinity without terms',
    container(
      '',
      'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}',
    ),
  ],
  [
    'a node affinity by an unknown operator',
    container(
      '',
      'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Is, values: [b]}]}]}}}',
    ),
  ],
  [
    'a node affinity without values',
    container(
      '',
      'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}',
    ),
  ],
  [
    'a preferred node affinity of weight 0',
    container(
      '',
      'affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {}}]}}',
    ),
  ],
  ['a misspelled affinity', container('', 'affinity: {nodeAfinity: {}}')],
  [
    'a Pod anti-affinity',
    container(
      '',
      'affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: w}}}}]}}',
    ),
  ],
  [
    'a Pod affinity without a topology',
    container(
      '',
      'affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: w}}}]}}',
    ),
  ],
  [
    'a spread',
    container(
      '',
      'topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: w}}}]',
    ),
  ],
  [
    'a spread of skew 0',
    container(
      '',
      'topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]',
    ),
  ],
  [
    'a spread by an unknown action',
    container(
      '',
      'topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: Maybe}]',
    ),
  ],
  ['a priority class with capitals', container('', 'priorityClassName: High')],
  ['a preemption policy of no kind', container('', 'preemptionPolicy: Sometimes')],
  ['a node name with capitals', container('', 'nodeName: Node')],
  ['a host alias', container('', 'hostAliases: [{ip: 127.0.0.1, hostnames: [foo.local]}]')],
  [
    'a host alias with an underscore',
    container('', 'hostAliases: [{ip: 127.0.0.1, hostnames: [foo_bar]}]'),
  ],
  ['a DNS policy None without servers', container('', 'dnsPolicy: None')],
  [
    'a DNS policy None with a server',
    container('', 'dnsPolicy: None, dnsConfig: {nameservers: [127.0.0.1]}'),
  ],
  ['a name server that is no address', container('', 'dnsConfig: {nameservers: [dns.example]}')],
  [
    'four name servers',
    container('', 'dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}'),
  ],
  ['a search domain with a space', container('', 'dnsConfig: {searches: ["a b"]}')],
  ['a hostname of 64 characters', container('', `hostname: ${'a'.repeat(64)}`)],
  [
    'SYS_ADMIN without escalation',
    container(
      'securityContext: {capabilities: {add: [SYS_ADMIN]}, allowPrivilegeEscalation: false}',
    ),
  ],
  ['a supplemental group below 0', container('', 'securityContext: {supplementalGroups: [-1]}')],
  ['an unknown proc mount', container('securityContext: {procMount: All}')],
  [
    'a sysctl with a space',
    container('', 'securityContext: {sysctls: [{name: "a b", value: "1"}]}'),
  ],
  [
    'an exec probe and an HTTP probe',
    container('livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}'),
  ],
  [
    'a liveness probe with two successes',
    container(`livenessProbe: {${PROBE}, successThreshold: 2}`),
  ],
  [
    'a readiness probe with two successes',
    container(`readinessProbe: {${PROBE}, successThreshold: 2}`),
  ],
  [
    'a readiness probe with a grace period',
    container(`readinessProbe: {${PROBE}, terminationGracePeriodSeconds: 2}`),
  ],
  ['a gRPC probe of port 0', container('livenessProbe: {grpc: {port: 0}}')],
  ['a gRPC probe of an empty service', container('livenessProbe: {grpc: {port: 1, service: ""}}')],
  [
    'a preStop hook that sleeps 0 seconds',
    container('lifecycle: {preStop: {sleep: {seconds: 0}}}'),
  ],
  ['a postStart hook over TCP', container('lifecycle: {postStart: {tcpSocket: {port: 1}}}')],
  ['a stop signal without an operating system', container('lifecycle: {stopSignal: SIGUSR1}')],
  ['a stop signal', container('lifecycle: {stopSignal: SIGUSR1}', 'os: {name: linux}')],
  ['a stop signal that is none', container('lifecycle: {stopSignal: SIGFOO}', 'os: {name: linux}')],
  ['two ports of one number', container('ports: [{containerPort: 1}, {containerPort: 1}]')],
  [
    'a port on the host by an address that is none',
    container('ports: [{containerPort: 1, hostIP: here}]'),
  ],
  [
    'a variable of a label',
    container(`env: [{name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels['a']"}}}]`),
  ],
  [
    'a variable from two sources',
    container(
      'env: [{name: A, valueFrom: {configMapKeyRef: {name: a, key: b}, secretKeyRef: {name: a, key: b}}}]',
    ),
  ],
  ['a variable twice', container('env: [{name: A, value: a}, {name: A, value: b}]')],
  ['a number as a value', container('env: [{name: A, value: 1}]')],
  [
    'a mount of a volume that is not there',
    container('volumeMounts: [{name: data, mountPath: /data}]'),
  ],
  [
    'a mount by a sub-path with ..',
    container(
      'volumeMounts: [{name: data, mountPath: /data, subPath: a/../b}]',
      'volumes: [{name: data, emptyDir: {}}]',
    ),
  ],
  [
    'a mount by an absolute sub-path',
    container(
      'volumeMounts: [{name: data, mountPath: /data, subPath: /b}]',
      'volumes: [{name: data, emptyDir: {}}]',
    ),
  ],
  [
    'a mount that is recursively read-only but writable',
    container(
      'volumeMounts: [{name: data, mountPath: /data, recursiveReadOnly: Enabled}]',
      'volumes: [{name: data, emptyDir: {}}]',
    ),
  ],
  ['a volume of two kinds', volume('emptyDir: {}, configMap: {name: a}')],
  ['a volume of no kind', volume('')],
  ['an emptyDir of a negative size', volume('emptyDir: {sizeLimit: -1}')],
  ['a mode of 01000', volume('configMap: {name: a, defaultMode: 512}')],
  ['a negative mode', volume('configMap: {name: a, defaultMode: -1}')],
  ['a hostPath without a path', volume('hostPath: {}')],
  [
    'a projection of two kinds',
    volume('projected: {sources: [{configMap: {name: a}, secret: {name: b}}]}'),
  ],
  ['a projection of none', volume('projected: {sources: []}')],
  [
    'a downward file of a resource without a container',
    volume('downwardAPI: {items: [{path: a, resourceFieldRef: {resource: limits.cpu}}]}'),
  ],
  [
    'a downward file of an unknown field',
    volume('downwardAPI: {items: [{path: a, fieldRef: {fieldPath: spec.nodeName}}]}'),
  ],
  ['a negative limit', container('resources: {limits: {cpu: -1}}')],
  ['a limit that is no quantity', container('resources: {limits: {memory: 1Gb}}')],
  ['a limit of an unknown resource', container('resources: {limits: {disk: 1Gi}}')],
  [
    'an init container with a readiness probe',
    pod(
      `containers: [{name: a, image: x}], initContainers: [{name: b, image: x, readinessProbe: {${PROBE}}}]`,
    ),
  ],
  [
    'a sidecar with a readiness probe',
    pod(
      `containers: [{name: a, image: x}], initContainers: [{name: b, image: x, restartPolicy: Always, readinessProbe: {${PROBE}}}]`,
    ),
  ],
  [
    'an init container by the name of a container',
    pod('containers: [{name: a, image: x}], initContainers: [{name: a, image: x}]'),
  ],
  ['a deadline of 0 for a Pod', container('', 'activeDeadlineSeconds: 0')],
  ['a Deployment of -1 replicas', deployment(`replicas: -1, ${SELECTOR}`)],
  [
    'a Deployment whose selector does not match',
    deployment('selector: {matchLabels: {app: other}}'),
  ],
  [
    'a selector by In without values',
    deployment('selector: {matchExpressions: [{key: app, operator: In}]}'),
  ],
  [
    'a selector by an unknown operator',
    deployment('selector: {matchExpressions: [{key: app, operator: Gt, values: [a]}]}'),
  ],
  ['a Job that always restarts', job('', 'Always')],
  ['a Job of no completions', job('completions: 0')],
  ['a Job with a negative limit of failures', job('backoffLimit: -1')],
  ['a CronJob of four fields', cronJob('* * * *')],
  ['a CronJob with an @every', cronJob('@every 5m')],
  [
    'a ConfigMap of one key in both kinds of data',
    data('ConfigMap', 'data: {a: b}\nbinaryData: {a: Yg==}'),
  ],
  ['a ConfigMap with a key of 254 characters', data('ConfigMap', `data: {${'a'.repeat(254)}: b}`)],
  ['a Secret that is no base64', data('Secret', 'data: {a: "%%"}')],
  [
    'a Secret of basic authentication without a user',
    data('Secret', 'type: kubernetes.io/basic-auth\nstringData: {other: a}'),
  ],
  [
    'two ports of a Service without names',
    service('selector: {a: b}, ports: [{port: 1}, {port: 2}]'),
  ],
  [
    'a Service with a target port of 0',
    service('selector: {a: b}, ports: [{port: 1, targetPort: 0}]'),
  ],
  [
    'a Service at an address that is none',
    service('clusterIP: here, selector: {a: b}, ports: [{port: 1}]'),
  ],
  [
    'a Service by a name of 64 characters',
    service('selector: {a: b}, ports: [{port: 1}]', 'a'.repeat(64)),
  ],
  [
    'a node port of 0',
    service('type: NodePort, selector: {a: b}, ports: [{port: 80, nodePort: 0}]'),
  ],
  [
    'a node port in its range',
    service('type: NodePort, selector: {a: b}, ports: [{port: 80, nodePort: 32767}]'),
  ],
  [
    'a node port that is no port',
    service('type: NodePort, selector: {a: b}, ports: [{port: 80, nodePort: 65536}]'),
  ],
  [
    'a target port by an unknown name',
    service('selector: {a: b}, ports: [{port: 80, targetPort: nowhere}]'),
  ],
  ['a TCP probe of an unknown name', container('readinessProbe: {tcpSocket: {port: nowhere}}')],
  ['a hook of an unknown port', container('lifecycle: {preStop: {httpGet: {port: nowhere}}}')],
  ...['', 'a/b', '..a', 'a/../b', '/a', '$(A)/b', '$(A'].map(
    (path) =>
      [
        `a mount by the expression ${JSON.stringify(path)}`,
        container(
          `volumeMounts: [{name: data, mountPath: /v, subPathExpr: ${JSON.stringify(path)}}]`,
          'volumes: [{name: data}]',
        ),
      ] as const,
  ),
  [
    'a mount by an empty sub-path',
    container(
      'volumeMounts: [{name: data, mountPath: /v, subPath: ""}]',
      'volumes: [{name: data}]',
    ),
  ],
  ['an emptyDir in memory, in small letters', volume('emptyDir: {medium: memory}')],
  ['an emptyDir of huge pages of a size', volume('emptyDir: {medium: HugePages-2Mi}')],
  ...['windows', 'linux', 'plan9', 'Windows', ''].map(
    (name) => [`a Pod for the system ${name || '""'}`, container('', forSystem(name))] as const,
  ),
  ...['windows', 'linux'].flatMap((name) => [
    ...SYSTEM_FIELDS.map(
      (field) =>
        [`a Pod for ${name} with ${field}`, container('', forSystem(name, field))] as const,
    ),
    ...SYSTEM_CONTEXTS.map(
      (field) =>
        [
          `a Pod for ${name} with the context ${field}`,
          container('', forSystem(name, `securityContext: {${field}}`)),
        ] as const,
    ),
    ...SYSTEM_CONTAINERS.map(
      (field) =>
        [
          `a container for ${name} with ${field}`,
          container(`securityContext: {${field}}`, forSystem(name)),
        ] as const,
    ),
    [
      `an init container for ${name} with a user`,
      container(
        '',
        forSystem(name, 'initContainers: [{name: i, image: x, securityContext: {runAsUser: 1}}]'),
      ),
    ] as const,
  ]),
];
