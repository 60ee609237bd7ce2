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
const cronJob = (schedule: string) =>
  `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: {schedule: "${schedule}", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}}}\n`;
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
];
