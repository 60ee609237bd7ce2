import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManifestError } from './manifest-error.ts';
import { readWorkload } from './workload.ts';

function read(text: string) {
  return readWorkload([{ name: 'pod.yaml', text }]);
}

function faults(text: string): readonly string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ManifestError) return error.faults;
    throw error;
  }
  throw new Error('no fault was found');
}

const pod = (spec: string, name = 'web') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n${spec.replace(/^/gm, '  ')}\n`;

test('a Pod that refers to a faulty ConfigMap has no second fault', () => {
  const text = `${pod('containers: [{name: a, image: x, envFrom: [{configMapRef: {name: c}}]}]')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: 5}\n`;
  assert.deepEqual(faults(text), [
    'pod.yaml:10:11: ConfigMap c: data.k: 5 must be text: put it in quotes',
  ]);
});

describe('faults', () => {
  const cases: readonly (readonly [what: string, manifest: string, message: string])[] = [
    [
      'a missing image',
      pod('containers: [{name: a}]'),
      'pod.yaml:5:16: Pod web: spec.containers[0].image: is missing',
    ],
    [
      'a field that is not honoured',
      pod('containers: [{name: a, image: x, volumeDevices: [{}]}]'),
      'pod.yaml:5:51: Pod web: spec.containers[0].volumeDevices: is not supported by pod: remove it, or skip it with --unsupported=warn',
    ],
    [
      'an unknown field, with the nearest',
      pod('containers: [{name: a, image: x, comand: [y]}]'),
      'pod.yaml:5:44: Pod web: spec.containers[0].comand: unknown field: did you mean command?',
    ],
    [
      'two containers of one name',
      pod('containers: [{name: a, image: x}, {name: a, image: x}]'),
      'pod.yaml:5:44: Pod web: spec.containers[1].name: "a" is a duplicate: it is also the name of spec.containers[0]',
    ],
    [
      'an init container of the same name',
      pod('initContainers: [{name: a, image: x}]\ncontainers: [{name: a, image: x}]'),
      'pod.yaml:5:27: Pod web: spec.initContainers[0].name: "a" is a duplicate: it is also the name of a container',
    ],
    [
      'two containers on one host port',
      pod(
        'containers:\n- {name: a, image: x, ports: [{containerPort: 1, hostPort: 80}]}\n- {name: b, image: x, ports: [{containerPort: 2, hostPort: 80}]}',
      ),
      'pod.yaml:7:62: Pod web: spec.containers[1].ports[0].hostPort: 80 is already taken by container a of Pod web',
    ],
    [
      'an unknown ConfigMap key',
      `${pod('containers: [{name: a, image: x, env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: kay}}}]}]')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {key: v}\n`,
      'pod.yaml:5:96: Pod web: spec.containers[0].env[0].valueFrom.configMapKeyRef.key: "kay" is not a key of ConfigMap c: did you mean key?',
    ],
    [
      'a request above its limit',
      pod('containers: [{name: a, image: x, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}]'),
      'pod.yaml:5:82: Pod web: spec.containers[0].resources.requests.cpu: must not exceed the cpu limit',
    ],
    [
      'a probe without a handler',
      pod('containers: [{name: a, image: x, livenessProbe: {periodSeconds: 1}}]'),
      'pod.yaml:5:51: Pod web: spec.containers[0].livenessProbe: needs exactly one handler, not 0',
    ],
    [
      'a readiness probe of an init container that ends',
      pod(
        'initContainers: [{name: i, image: x, readinessProbe: {tcpSocket: {port: 1}}}]\ncontainers: [{name: a, image: x}]',
      ),
      'pod.yaml:5:56: Pod web: spec.initContainers[0].readinessProbe: is only allowed in an init container with restartPolicy: Always',
    ],
    [
      'a mount of no volume',
      pod(
        'containers: [{name: a, image: x, volumeMounts: [{name: dta, mountPath: /d}]}]\nvolumes: [{name: data, emptyDir: {}}]',
      ),
      'pod.yaml:5:58: Pod web: spec.containers[0].volumeMounts[0].name: "dta" is not a volume of the Pod: did you mean data?',
    ],
    [
      'a kind that does not exist',
      'apiVersion: v1\nkind: Pot\nmetadata: {name: s}\n',
      'pod.yaml:2:7: Pot s: kind: "Pot" is not a kind of Kubernetes: did you mean Pod?',
    ],
  ];
  for (const [what, manifest, message] of cases) {
    test(`${what} is one sentence with its place`, () => {
      assert.ok(faults(manifest).includes(message), faults(manifest).join('\n'));
    });
  }

  test('broken YAML is reported with line and column', () => {
    assert.match(faults('a: [1,\nb: 2\n')[0] ?? '', /^pod\.yaml:\d+:\d+: /);
  });

  test('a Pod that asks for more than the machine has is refused', () => {
    const text = pod('containers: [{name: a, image: x, resources: {requests: {memory: 99999Gi}}}]');
    assert.match(
      faults(text)[0] ?? '',
      /spec\.containers: insufficient memory: the Pod requests \d+Mi, this machine has \d+Mi: lower the requests$/,
    );
  });

  test('all faults of all documents are reported at once', () => {
    const two = `${pod('containers: [{name: A, image: x, volumeDevices: [{}]}]')}---\n${pod('containers: []', 'other')}`;
    assert.equal(faults(two).length, 3);
  });

  test('a secret value never stands in a message', () => {
    const text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: "***hunter2"}\n';
    const message = faults(`${text}---\n${pod('containers: [{name: a, image: x}]')}`).join('\n');
    assert.match(message, /data\.a: is not base64/);
    assert.ok(!message.includes('hunter2'), message);
  });
});

describe('what is read', () => {
  test("the API server's defaults are set", () => {
    const [found] = read(
      pod(
        'containers: [{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}, periodSeconds: 0}}]',
      ),
    ).pods;
    assert.equal(found?.spec.restartPolicy, 'Always');
    assert.equal(found?.spec.terminationGracePeriodSeconds, 30);
    const probe = found?.spec.containers[0]?.livenessProbe;
    assert.deepEqual(
      [
        probe?.periodSeconds,
        probe?.timeoutSeconds,
        probe?.successThreshold,
        probe?.failureThreshold,
      ],
      [10, 1, 1, 3],
    );
  });

  test('null, and an empty or false value of a field that is not honoured, are as if absent', () => {
    const [found] = read(
      pod(
        'hostNetwork: false\naffinity: null\nimagePullSecrets: []\ncontainers: [{name: a, image: x, args: null, tty: false}]',
      ),
    ).pods;
    assert.deepEqual(found?.spec.containers[0]?.args, []);
  });

  test('controllers become Pods: replicas, numbered or with a suffix that stays the same', () => {
    const template = '{metadata: {labels: {app: w}}, spec: {containers: [{name: a, image: x}]}}';
    const text = (kind: string) =>
      `apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: w}\nspec: {replicas: 2, selector: {matchLabels: {app: w}}, template: ${template}}\n`;
    const names = (kind: string) => read(text(kind)).pods.map(({ metadata }) => metadata.name);
    assert.deepEqual(names('StatefulSet'), ['w-0', 'w-1']);
    assert.equal(read(text('StatefulSet')).pods[1]?.after, 'w-0');
    assert.match(names('Deployment')[0] ?? '', /^w-[a-z0-9]{5}$/);
    assert.deepEqual(names('Deployment'), names('Deployment'));
    assert.equal(new Set(names('Deployment')).size, 2);
  });

  const jobTemplate =
    '{template: {metadata: {labels: {app: w}}, spec: {restartPolicy: OnFailure, containers: [{name: a, image: x}]}}}';

  test('a ReplicaSet makes Pods as a Deployment does, a DaemonSet one: there is one node', () => {
    const template = '{metadata: {labels: {app: w}}, spec: {containers: [{name: a, image: x}]}}';
    const made = (kind: string, spec: string) =>
      read(
        `apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: w}\nspec: {${spec}selector: {matchLabels: {app: w}}, template: ${template}}\n`,
      ).pods.map(({ owner }) => owner?.kind);
    assert.deepEqual(made('ReplicaSet', 'replicas: 2, '), ['ReplicaSet', 'ReplicaSet']);
    assert.deepEqual(made('DaemonSet', ''), ['DaemonSet']);
  });

  test("a CronJob's Job runs once, and that is said; its faults have their place", () => {
    const cron = (template: string) =>
      `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: hello}\nspec: {schedule: "* * * * *", jobTemplate: {spec: ${template}}}\n`;
    const { pods, notes } = read(cron(jobTemplate));
    assert.deepEqual(
      pods.map(({ owner, metadata }) => [owner, metadata.labels['job-name']]),
      [[{ kind: 'Job', name: 'hello' }, 'hello']],
    );
    assert.deepEqual(notes, [
      'note: CronJob hello: its Job runs once, now; only a cluster keeps to its schedule',
    ]);
    assert.deepEqual(faults(cron(jobTemplate.replace('OnFailure', 'Always'))), [
      'pod.yaml:4:115: CronJob hello: spec.jobTemplate.spec.template.spec.restartPolicy: "Always" must be Never or OnFailure here',
    ]);
  });

  test("a Job's deadline is its Pod's, and its Pods carry its name", () => {
    const job = `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: ${jobTemplate.replace('{template', '{completionMode: NonIndexed, activeDeadlineSeconds: 9, parallelism: 2, template')}\n`;
    const { pods } = read(job);
    assert.equal(pods.length, 2);
    assert.equal(pods[0]?.spec.activeDeadlineSeconds, 9);
    assert.deepEqual(pods[1]?.job, {
      index: 1,
      attempt: 0,
      completions: 2,
      parallelism: 2,
      backoffLimit: 6,
      activeDeadlineSeconds: 9,
    });
    assert.equal(pods[0]?.metadata.labels['batch.kubernetes.io/job-name'], 'j');
  });

  test('a Job begins with as many Pods as may run at once, and no more than it needs', () => {
    const count = (fields: string) =>
      read(
        `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: ${jobTemplate.replace('{template', `{${fields}template`)}\n`,
      ).pods.length;
    assert.equal(count(''), 1);
    assert.equal(count('completions: 5, '), 1);
    assert.equal(count('completions: 5, parallelism: 2, '), 2);
    assert.equal(count('completions: 2, parallelism: 5, '), 2);
    assert.equal(count('parallelism: 3, '), 3);
  });

  test('the time to live of a Job is noted, and refused with --strict', () => {
    const job = `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: ${jobTemplate.replace('{template', '{ttlSecondsAfterFinished: 60, template')}\n`;
    const place =
      'pod.yaml:4:33: Job j: spec.ttlSecondsAfterFinished: has no effect without a cluster';
    const reason = 'an ended Pod is kept for its logs until pod down removes it';
    assert.deepEqual(read(job).notes, [`note: ${place} (${reason}): skipped`]);
    assert.throws(() => readWorkload([{ name: 'pod.yaml', text: job }], { strict: true }), {
      message: `${place}: ${reason}`,
    });
  });

  test('a list holds objects, and several documents are one workload', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: v}}\n---\n${pod('containers: [{name: a, image: x, envFrom: [{configMapRef: {name: c}}]}]')}`;
    const { pods, configMaps } = read(list);
    assert.equal(pods.length, 1);
    assert.equal(configMaps[0]?.data.k?.toString(), 'v');
  });
});
