/**
 * Manifests with the verdict that the API's published validation gives (pkg/apis/core/validation
 * and those of apps and batch); true is accepted. `kubectl apply --dry-run=server` on a cluster
 * compares them.
 */
export type Verdict = readonly [title: string, manifest: string, accepted: boolean];

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

export const CORPUS: readonly Verdict[] = [
  ['a plain Pod', container(''), true],
  ['a Pod without containers', pod('containers: []'), false],
  ['a container without an image', pod('containers: [{name: a}]'), false],
  ['an image with a space', pod('containers: [{name: a, image: " x"}]'), false],
  ['a name with capitals', pod('containers: [{name: a, image: x}]', 'name: Web'), false],
  ['a name with dots', pod('containers: [{name: a, image: x}]', 'name: web.v1'), true],
  [
    'a name of 254 characters',
    pod('containers: [{name: a, image: x}]', `name: ${'a'.repeat(254)}`),
    false,
  ],
  [
    'a name of 253 characters',
    pod('containers: [{name: a, image: x}]', `name: ${'a'.repeat(253)}`),
    true,
  ],
  ['a container name with a dot', pod('containers: [{name: a.b, image: x}]'), false],
  [
    'two containers of one name',
    pod('containers: [{name: a, image: x}, {name: a, image: x}]'),
    false,
  ],
  ['an unknown field', container('comand: [a]'), false],
  [
    'a label value with a space',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a: "b c"}'),
    false,
  ],
  [
    'a label value of 64 characters',
    pod('containers: [{name: a, image: x}]', `name: web, labels: {a: ${'b'.repeat(64)}}`),
    false,
  ],
  [
    'an empty label value',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a: ""}'),
    true,
  ],
  [
    'a label key with two slashes',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a/b/c: d}'),
    false,
  ],
  [
    'a label key with a prefix',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a.b/c_d: e}'),
    true,
  ],
  [
    'an annotation with capitals',
    pod('containers: [{name: a, image: x}]', 'name: web, annotations: {A.b/C: "x y"}'),
    true,
  ],
  [
    'an annotation key that begins with an underscore',
    pod('containers: [{name: a, image: x}]', 'name: web, annotations: {_a: x}'),
    false,
  ],
  [
    'a number as a label',
    pod('containers: [{name: a, image: x}]', 'name: web, labels: {a: 5}'),
    false,
  ],
  ['an octal user', container('securityContext: {runAsUser: 01750}'), true],
  ['a negative user', container('securityContext: {runAsUser: -1}'), false],
  ['a boolean as the value of a variable', container('env: [{name: A, value: yes}]'), false],
  ['a variable name with a dash', container('env: [{name: a-b, value: c}]'), true],
  ['a variable name with an equals sign', container('env: [{name: "a=b", value: c}]'), false],
  [
    'a variable with a value and a source',
    container('env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]'),
    false,
  ],
  [
    'a variable of all labels',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}]'),
    false,
  ],
  [
    'a variable of one label',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels[\'a\']"}}}]'),
    true,
  ],
  [
    'a variable of the host address',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}]'),
    true,
  ],
  [
    'a variable of an unknown field',
    container('env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.hostname}}}]'),
    false,
  ],
  ['a port above 65535', container('ports: [{containerPort: 65536}]'), false],
  [
    'two ports of one name',
    container('ports: [{containerPort: 1, name: p}, {containerPort: 2, name: p}]'),
    false,
  ],
  [
    'a port name of 16 letters',
    container('ports: [{containerPort: 1, name: abcdefghijklmnop}]'),
    false,
  ],
  ['a protocol in small letters', container('ports: [{containerPort: 1, protocol: tcp}]'), false],
  [
    'a request above its limit',
    container('resources: {limits: {cpu: 1}, requests: {cpu: 2}}'),
    false,
  ],
  ['a quantity with a word', container('resources: {limits: {memory: 1GB}}'), false],
  ['a negative quantity', container('resources: {limits: {cpu: -1}}'), false],
  ['a resource without a domain', container('resources: {limits: {gpu: 1}}'), false],
  ['a probe without a handler', container('livenessProbe: {periodSeconds: 1}'), false],
  [
    'a probe with two handlers',
    container(`livenessProbe: {${PROBE}, exec: {command: [a]}}`),
    false,
  ],
  ['a gRPC probe', container('livenessProbe: {grpc: {port: 5}}'), true],
  ['a gRPC probe of a named port', container('livenessProbe: {grpc: {port: web}}'), false],
  ['a period of 0', container(`livenessProbe: {${PROBE}, periodSeconds: 0}`), true],
  ['a negative period', container(`livenessProbe: {${PROBE}, periodSeconds: -1}`), false],
  [
    'a liveness success threshold of 2',
    container(`livenessProbe: {${PROBE}, successThreshold: 2}`),
    false,
  ],
  [
    'a readiness grace period',
    container(`readinessProbe: {${PROBE}, terminationGracePeriodSeconds: 5}`),
    false,
  ],
  [
    'a probe header with a colon',
    container('livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: "a:", value: b}]}}'),
    false,
  ],
  [
    'a preStop sleep longer than the grace period',
    container('lifecycle: {preStop: {sleep: {seconds: 31}}}'),
    false,
  ],
  [
    'a preStop sleep as long as the grace period',
    container('lifecycle: {preStop: {sleep: {seconds: 30}}}'),
    true,
  ],
  ['a preStop sleep of 0', container('lifecycle: {preStop: {sleep: {seconds: 0}}}'), true],
  ['a hook without a handler', container('lifecycle: {preStop: {}}'), false],
  ['a mount of no volume', container('volumeMounts: [{name: v, mountPath: /v}]'), false],
  [
    'two mounts on one path',
    container(
      'volumeMounts: [{name: data, mountPath: /v}, {name: data, mountPath: /v}]',
      'volumes: [{name: data}]',
    ),
    false,
  ],
  [
    'a relative mount path',
    container('volumeMounts: [{name: data, mountPath: v}]', 'volumes: [{name: data}]'),
    true,
  ],
  [
    'a mount path with a colon',
    container('volumeMounts: [{name: data, mountPath: "/v:w"}]', 'volumes: [{name: data}]'),
    false,
  ],
  [
    'a subPath with ..',
    container(
      'volumeMounts: [{name: data, mountPath: /v, subPath: a/../b}]',
      'volumes: [{name: data}]',
    ),
    false,
  ],
  [
    'an absolute subPath',
    container(
      'volumeMounts: [{name: data, mountPath: /v, subPath: /a}]',
      'volumes: [{name: data}]',
    ),
    false,
  ],
  ['a volume without a source', container('', 'volumes: [{name: data}]'), true],
  ['a volume with two sources', volume('emptyDir: {}, hostPath: {path: /a}'), false],
  ['a hostPath with ..', volume('hostPath: {path: /a/../b}'), false],
  ['a hostPath', volume('hostPath: {path: /a}'), true],
  ['an octal mode', volume('configMap: {name: c, optional: true, defaultMode: 0400}'), true],
  ['a mode above 0777', volume('configMap: {name: c, optional: true, defaultMode: 512}'), false],
  [
    'an item with ..',
    volume('configMap: {name: c, optional: true, items: [{key: k, path: ../x}]}'),
    false,
  ],
  [
    'an item that begins with two dots',
    volume('configMap: {name: c, optional: true, items: [{key: k, path: ..x}]}'),
    false,
  ],
  [
    'an item in a folder',
    volume('configMap: {name: c, optional: true, items: [{key: k, path: a/b}]}'),
    true,
  ],
  ['a projected volume without sources', volume('projected: {}'), true],
  [
    'a downward volume of the host address',
    volume('downwardAPI: {items: [{path: p, fieldRef: {fieldPath: status.hostIP}}]}'),
    false,
  ],
  [
    'a downward volume of all labels',
    volume('downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.labels}}]}'),
    true,
  ],
  ['an emptyDir of negative size', volume('emptyDir: {sizeLimit: -1}'), false],
  ['an unknown restart policy', container('', 'restartPolicy: Sometimes'), false],
  ['a negative grace period', container('', 'terminationGracePeriodSeconds: -1'), false],
  ['a deadline of 0', container('', 'activeDeadlineSeconds: 0'), false],
  ['dnsPolicy None without nameservers', container('', 'dnsPolicy: None'), false],
  [
    'a nameserver that is a name',
    container('', 'dnsPolicy: None, dnsConfig: {nameservers: [dns.example]}'),
    false,
  ],
  [
    'four nameservers',
    container('', 'dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}'),
    false,
  ],
  [
    'a host alias that is no address',
    container('', 'hostAliases: [{ip: host, hostnames: [a]}]'),
    false,
  ],
  ['a hostname with a dot', container('', 'hostname: a.b'), false],
  [
    'a shared process namespace with that of the host',
    container('', 'hostPID: true, shareProcessNamespace: true'),
    false,
  ],
  [
    'privileged without escalation',
    container('securityContext: {privileged: true, allowPrivilegeEscalation: false}'),
    false,
  ],
  [
    'an init container with a liveness probe',
    container('', `initContainers: [{name: i, image: x, livenessProbe: {${PROBE}}}]`),
    false,
  ],
  [
    'a sidecar with a liveness probe',
    container(
      '',
      `initContainers: [{name: i, image: x, restartPolicy: Always, livenessProbe: {${PROBE}}}]`,
    ),
    true,
  ],
  [
    'an init container with the name of a container',
    container('', 'initContainers: [{name: a, image: x}]'),
    false,
  ],
  ['a Deployment', deployment(SELECTOR), true],
  [
    'a Deployment with another selector',
    deployment('selector: {matchLabels: {app: other}}'),
    false,
  ],
  ['a Deployment with an empty selector', deployment('selector: {}'), false],
  [
    'a Deployment with a matching expression',
    deployment('selector: {matchExpressions: [{key: app, operator: In, values: [w]}]}'),
    true,
  ],
  [
    'a Deployment with a foreign expression',
    deployment('selector: {matchExpressions: [{key: app, operator: NotIn, values: [w]}]}'),
    false,
  ],
  [
    'an operator without values',
    deployment('selector: {matchExpressions: [{key: app, operator: In}]}'),
    false,
  ],
  ['negative replicas', deployment(`replicas: -1, ${SELECTOR}`), false],
  ['a Job', job(''), true],
  ['a Job that restarts always', job('', 'Always'), false],
  ['a Job with a negative back-off limit', job('backoffLimit: -1'), false],
  ['a CronJob', cronJob('*/5 * * * *'), true],
  ['a CronJob of every hour', cronJob('@hourly'), true],
  ['a CronJob with four fields', cronJob('* * * *'), false],
  ['a CronJob in minute 60', cronJob('60 * * * *'), false],
  ['a ConfigMap', data('ConfigMap', 'data: {a: b}'), true],
  ['a ConfigMap with a slash in a key', data('ConfigMap', 'data: {a/b: c}'), false],
  ['a ConfigMap key that begins with two dots', data('ConfigMap', 'data: {..a: c}'), false],
  ['a ConfigMap key that is a dot', data('ConfigMap', 'data: {.: c}'), false],
  ['a ConfigMap key __proto__', data('ConfigMap', 'data: {__proto__: c}'), true],
  ['a ConfigMap with a number', data('ConfigMap', 'data: {a: 5}'), false],
  ['a ConfigMap with a key twice', data('ConfigMap', 'data: {a: b}\nbinaryData: {a: Yg==}'), false],
  [
    'a ConfigMap of more than 1 MiB',
    data('ConfigMap', `data: {a: ${'x'.repeat(1_048_577)}}`),
    false,
  ],
  ['a Secret', data('Secret', 'data: {a: Yg==}'), true],
  ['a Secret with a slash in a key', data('Secret', 'stringData: {../a: c}'), false],
  ['a Secret that is not base64', data('Secret', 'data: {a: "***"}'), false],
  [
    'a TLS Secret without a key',
    data('Secret', 'type: kubernetes.io/tls\ndata: {tls.crt: Yg==}'),
    false,
  ],
  [
    'a basic-auth Secret without a name',
    data('Secret', 'type: kubernetes.io/basic-auth\nstringData: {a: b}'),
    false,
  ],
  ['a Service', service('selector: {app: w}, ports: [{port: 80}]'), true],
  [
    'a Service that begins with a digit',
    service('selector: {app: w}, ports: [{port: 80}]', '1s'),
    false,
  ],
  ['a Service with a dot', service('selector: {app: w}, ports: [{port: 80}]', 'a.b'), false],
  ['a Service without ports', service('selector: {app: w}'), false],
  ['a headless Service without ports', service('selector: {app: w}, clusterIP: None'), true],
  [
    'a Service with two unnamed ports',
    service('selector: {app: w}, ports: [{port: 80}, {port: 81}]'),
    false,
  ],
  [
    'a Service port name of 20 letters',
    service('selector: {app: w}, ports: [{port: 80, name: abcdefghijklmnopqrst}]'),
    true,
  ],
  [
    'a Service with a port twice',
    service('selector: {app: w}, ports: [{port: 80, name: a}, {port: 80, name: b}]'),
    false,
  ],
  [
    'a node port of a ClusterIP',
    service('selector: {app: w}, ports: [{port: 80, nodePort: 30080}]'),
    false,
  ],
  [
    'a headless NodePort',
    service('type: NodePort, clusterIP: None, selector: {app: w}, ports: [{port: 80}]'),
    false,
  ],

  // Workloads of other kinds.
  [
    'a StatefulSet',
    workload('StatefulSet', 'serviceName: w, selector: {matchLabels: {app: w}}'),
    true,
  ],
  ['a StatefulSet without a selector', workload('StatefulSet', 'serviceName: w'), false],
  [
    'a StatefulSet with a claim',
    workload(
      'StatefulSet',
      `serviceName: w, ${SELECTOR}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]`,
    ),
    true,
  ],
  [
    'a StatefulSet with an unknown policy',
    workload('StatefulSet', `serviceName: w, ${SELECTOR}, podManagementPolicy: Fast`),
    false,
  ],
  ['a DaemonSet', workload('DaemonSet', SELECTOR), true],
  ['a DaemonSet with replicas', workload('DaemonSet', `replicas: 2, ${SELECTOR}`), false],
  ['a ReplicaSet', workload('ReplicaSet', SELECTOR), true],
  [
    'a Deployment whose Pods end',
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {${SELECTOR}, template: {metadata: {labels: {app: w}}, spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}\n`,
    false,
  ],
  [
    'a Deployment with an unknown strategy',
    deployment(`strategy: {type: Rolling}, ${SELECTOR}`),
    false,
  ],
  [
    'a Deployment that neither surges nor misses a Pod',
    deployment(`strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}, ${SELECTOR}`),
    false,
  ],
  [
    'a Deployment with a negative history',
    deployment(`revisionHistoryLimit: -1, ${SELECTOR}`),
    false,
  ],
  [
    'a Deployment that takes longer than its deadline',
    deployment(`minReadySeconds: 600, progressDeadlineSeconds: 600, ${SELECTOR}`),
    false,
  ],
  [
    'a Deployment of an old version',
    deployment(SELECTOR).replace('apps/v1', 'extensions/v1beta1'),
    false,
  ],
  ['a Job with completions', job('completions: 3, parallelism: 2'), true],
  ['a Job with negative parallelism', job('parallelism: -1'), false],
  ['an indexed Job', job('completionMode: Indexed, completions: 2'), true],
  ['an indexed Job without completions', job('completionMode: Indexed'), false],
  ['a Job with a negative time to live', job('ttlSecondsAfterFinished: -1'), false],
  ['a CronJob with a time zone', cronJob('0 3 * * *', 'timeZone: Europe/Zurich, '), true],
  ['a CronJob with an unknown time zone', cronJob('0 3 * * *', 'timeZone: Mars/Olympus, '), false],
  ['a CronJob with a time zone in its schedule', cronJob('CRON_TZ=UTC 0 3 * * *'), false],
  ['a CronJob with an unknown policy', cronJob('0 3 * * *', 'concurrencyPolicy: Wait, '), false],
  ['a CronJob by the names of days', cronJob('0 3 * jan-mar mon,FRI'), true],
  ['a CronJob on day 0', cronJob('0 3 0 * *'), false],
  ['a CronJob every 0 minutes', cronJob('*/0 * * * *'), false],
  ['a CronJob in its own words', cronJob('@every 5m'), true],

  // Containers and their Pod.
  [
    'an init container with a hook',
    container(
      '',
      'initContainers: [{name: i, image: x, lifecycle: {preStop: {sleep: {seconds: 1}}}}]',
    ),
    false,
  ],
  [
    'a sidecar with a hook',
    container(
      '',
      'initContainers: [{name: i, image: x, restartPolicy: Always, lifecycle: {preStop: {sleep: {seconds: 1}}}}]',
    ),
    true,
  ],
  ['an unknown pull policy', container('imagePullPolicy: Sometimes'), false],
  ['an unknown termination message policy', container('terminationMessagePolicy: Log'), false],
  ['a stdin that is read once', container('stdin: true, stdinOnce: true, tty: true'), true],
  [
    'a container of user 0 that must not be root',
    container('securityContext: {runAsUser: 0, runAsNonRoot: true}'),
    true,
  ],
  [
    'an unknown seccomp profile',
    container('securityContext: {seccompProfile: {type: Strict}}'),
    false,
  ],
  [
    'a local seccomp profile without a file',
    container('securityContext: {seccompProfile: {type: Localhost}}'),
    false,
  ],
  ['a group below 0', container('', 'securityContext: {fsGroup: -1}'), false],
  [
    'a sysctl twice',
    container(
      '',
      'securityContext: {sysctls: [{name: net.a, value: "1"}, {name: net.a, value: "2"}]}',
    ),
    false,
  ],
  [
    'an unknown policy of group changes',
    container('', 'securityContext: {fsGroup: 1, fsGroupChangePolicy: Never}'),
    false,
  ],
  ['a toleration of everything', container('', 'tolerations: [{operator: Exists}]'), true],
  ['two pull secrets', container('', 'imagePullSecrets: [{name: a}, {name: b}]'), true],
  ['an unknown operating system', container('', 'os: {name: plan9}'), false],
  ['a readiness gate', container('', 'readinessGates: [{conditionType: example.org/up}]'), true],
  [
    'a host port in use twice',
    container('ports: [{containerPort: 1, hostPort: 5}, {containerPort: 2, hostPort: 5}]'),
    false,
  ],
  ['a port 0', container('ports: [{containerPort: 0}]'), false],
  ['a port as a text', container('ports: [{containerPort: "80"}]'), false],
  ['an HTTP probe of port 0', container('livenessProbe: {httpGet: {port: 0}}'), false],
  [
    'an HTTP probe by another scheme',
    container('livenessProbe: {httpGet: {port: 1, scheme: FTP}}'),
    false,
  ],
  ['a path without a slash', container('livenessProbe: {httpGet: {port: 1, path: healthz}}'), true],
  ['an exec probe without a command', container('livenessProbe: {exec: {command: []}}'), false],
  ['a timeout of a fraction', container(`livenessProbe: {${PROBE}, timeoutSeconds: 0.5}`), false],
  ['a limit without a request', container('resources: {limits: {cpu: 500m, memory: 64Mi}}'), true],
  [
    'an extended resource of a fraction',
    container('resources: {limits: {example.org/gpu: 500m}}'),
    false,
  ],
  [
    'an extended resource with another request',
    container('resources: {limits: {example.org/gpu: 2}, requests: {example.org/gpu: 1}}'),
    false,
  ],
  [
    'a claim of resources that the Pod has not',
    container('resources: {claims: [{name: gpu}]}'),
    false,
  ],
  [
    'a variable of a limit',
    container('env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]'),
    true,
  ],
  [
    'a variable of an unknown resource',
    container('env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}]'),
    false,
  ],
  [
    'a prefix with an equals sign',
    container('envFrom: [{prefix: "a=", configMapRef: {name: c, optional: true}}]'),
    false,
  ],
  ['a source of variables that is none', container('envFrom: [{prefix: A_}]'), false],
  [
    'a variable of a key with a slash',
    container(
      'env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: a/b, optional: true}}}]',
    ),
    false,
  ],
  ['an empty variable name', container('env: [{name: "", value: a}]'), false],
  [
    'a mount by two sub-paths',
    container(
      'volumeMounts: [{name: data, mountPath: /v, subPath: a, subPathExpr: b}]',
      'volumes: [{name: data}]',
    ),
    false,
  ],
  [
    'an empty mount path',
    container('volumeMounts: [{name: data, mountPath: ""}]', 'volumes: [{name: data}]'),
    false,
  ],
  [
    'a propagation to the host',
    container(
      'volumeMounts: [{name: data, mountPath: /v, mountPropagation: Bidirectional}]',
      'volumes: [{name: data}]',
    ),
    false,
  ],
  ['two volumes of one name', container('', 'volumes: [{name: data}, {name: data}]'), false],
  ['a volume with capitals', container('', 'volumes: [{name: Data}]'), false],
  ['a ConfigMap volume without a name', volume('configMap: {}'), false],
  ['a Secret volume without a name', volume('secret: {}'), false],
  ['a Secret volume by the wrong field', volume('secret: {name: s}'), false],
  ['an item without a path', volume('configMap: {name: c, items: [{key: k}]}'), false],
  [
    'a token for a minute',
    volume('projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 60}}]}'),
    false,
  ],
  [
    'a token for an hour',
    volume('projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 3600}}]}'),
    true,
  ],
  [
    'two projections on one path',
    volume(
      'projected: {sources: [{configMap: {name: c, items: [{key: k, path: p}]}}, {secret: {name: s, items: [{key: k, path: p}]}}]}',
    ),
    false,
  ],
  ['a hostPath of an unknown type', volume('hostPath: {path: /a, type: Folder}'), false],
  ['a claim volume', volume('persistentVolumeClaim: {claimName: c}'), true],
  ['a claim volume without a name', volume('persistentVolumeClaim: {}'), false],
  ['a subdomain with a dot', container('', 'subdomain: a.b'), false],
  ['a DNS option without a name', container('', 'dnsConfig: {options: [{value: "5"}]}'), false],
  ['a service account with capitals', container('', 'serviceAccountName: Admin'), false],
  [
    'a name and its generator',
    pod('containers: [{name: a, image: x}]', 'generateName: web-'),
    true,
  ],
  ['no name at all', pod('containers: [{name: a, image: x}]', 'labels: {a: b}'), false],

  // Data and Services.
  ['an immutable ConfigMap', data('ConfigMap', 'immutable: true\ndata: {a: b}'), true],
  ['a ConfigMap of bytes that are no base64', data('ConfigMap', 'binaryData: {a: "***"}'), false],
  ['a ConfigMap without data', data('ConfigMap', ''), true],
  ['a ConfigMap with an empty key', data('ConfigMap', 'data: {"": c}'), false],
  [
    'a Secret of a type of its own',
    data('Secret', 'type: example.org/token\nstringData: {a: b}'),
    true,
  ],
  [
    'a Secret of a registry without its file',
    data('Secret', 'type: kubernetes.io/dockerconfigjson\nstringData: {a: b}'),
    false,
  ],
  [
    'a Secret of a registry whose file is no JSON',
    data('Secret', 'type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: "{"}'),
    false,
  ],
  [
    'an SSH Secret without a key',
    data('Secret', 'type: kubernetes.io/ssh-auth\nstringData: {a: b}'),
    false,
  ],
  ['a Secret with a number', data('Secret', 'stringData: {a: 5}'), false],
  ['a Service without a selector', service('ports: [{port: 80}]'), true],
  ['a Service by another name', service('type: ExternalName, externalName: db.example.org'), true],
  ['a Service by no other name', service('type: ExternalName'), false],
  [
    'a Service of an unknown type',
    service('type: Public, selector: {app: w}, ports: [{port: 80}]'),
    false,
  ],
  ['a Service on port 0', service('selector: {app: w}, ports: [{port: 0}]'), false],
  [
    'a target port of 16 letters',
    service('selector: {app: w}, ports: [{port: 80, targetPort: abcdefghijklmnop}]'),
    false,
  ],
  ['a Service for SCTP', service('selector: {app: w}, ports: [{port: 80, protocol: SCTP}]'), true],
  [
    'a Service with an unknown affinity',
    service('selector: {app: w}, ports: [{port: 80}], sessionAffinity: Cookie'),
    false,
  ],
  ['a claim', claim('accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}'), true],
  ['a claim without a size', claim('accessModes: [ReadWriteOnce]'), false],
  ['a claim without a mode', claim('resources: {requests: {storage: 1Gi}}'), false],
  [
    'a claim with an unknown mode',
    claim('accessModes: [ReadWrite], resources: {requests: {storage: 1Gi}}'),
    false,
  ],
];
