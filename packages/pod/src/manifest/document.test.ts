import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManifestError } from './manifest-error.ts';
import { readWorkload } from './workload.ts';

function read(text: string) {
  return readWorkload([{ name: 'm.yaml', text }]);
}

function faults(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ManifestError) return error.faults.join('\n');
    throw error;
  }
  throw new Error('no fault was found');
}

const SPEC = 'spec: {containers: [{name: a, image: x}]}';
const object = (name: string) =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: { containers: [{ name: 'a', image: 'x', args: ['}', '{'] }] },
  });

function names(text: string): string[] {
  return read(text).pods.map(({ metadata }) => metadata.name);
}

test('objects of JSON may follow one another without a separator, as jq writes them', () => {
  assert.deepEqual(names(`${object('a')}\n${object('b')}\r\n\n${object('c')}\n`), ['a', 'b', 'c']);
  const faulty = object('b').replace('"x"', '5');
  assert.match(faults(`${object('a')}\n\n${faulty}`), /^m\.yaml:3:\d+: Pod b: .*image: 5 must be/);
});

test('the items of the API server’s own lists have the kind of the list', () => {
  const items = `- metadata: {name: a}\n  ${SPEC}\n- metadata: {name: b}\n  ${SPEC}\n`;
  assert.deepEqual(names(`apiVersion: v1\nkind: PodList\nitems:\n${items}`), ['a', 'b']);
  assert.match(faults(`apiVersion: v1\nkind: List\nitems:\n${items}`), /kind: is missing/);
  const empty = 'apiVersion: v1\nkind: List\nitems:\n---\n';
  assert.deepEqual(names(`${empty}apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n${SPEC}`), ['a']);
});

test('a template is named as one, and actions within texts are not', () => {
  const head = 'apiVersion: v1\nkind: Pod\n';
  for (const [text, place] of [
    [`${head}metadata: {name: a}\n{{- if .Values.a }}\n${SPEC}\n{{- end }}\n`, '4:1'],
    [`${head}metadata:\n  name: {{ .Release.Name }}\n${SPEC}\n`, '4:9'],
    [`${head}metadata:\n  name: {{ include "a" . }}-web\n${SPEC}\n`, '4:9'],
  ] as const) {
    const rule = 'this is a template: render it, as helm template does, and give the result';
    assert.equal(faults(text), `m.yaml:${place}: ${rule}`);
  }
  const alerts = 'data:\n  a: |\n    {{ $labels.instance }} is down\n';
  read(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n${alerts}`);
  const broken = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c\n${alerts}`;
  assert.doesNotMatch(faults(broken), /template/);
});

test('a character that YAML does not have is refused with its place', () => {
  for (const [sign, code] of [
    ['\0', '0000'],
    ['\u001b', '001B'],
    ['\u007f', '007F'],
    ['\ufffe', 'FFFE'],
  ]) {
    const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: "a${sign}"}\n${SPEC}\n`;
    assert.match(faults(text), new RegExp(`^m\\.yaml:3:20: U\\+${code} is no character of YAML`));
  }
  // A byte order mark, and what has two units in JavaScript.
  read(
    `\ufeffapiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: "\u{1f600}\u0085"}\n`,
  );
});

test('null is an empty text in a map of texts, as Go decodes it', () => {
  const { pods, configMaps, secrets } = read(
    [
      `apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: }, annotations: {z: null}}\n${SPEC}`,
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: }\nbinaryData: {b: ~}',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {k: }\nstringData: {t: }',
    ].join('\n---\n'),
  );
  assert.deepEqual(pods[0]?.metadata.labels, { x: '' });
  assert.deepEqual(pods[0]?.metadata.annotations, { z: '' });
  for (const { data } of [...configMaps, ...secrets]) {
    assert.deepEqual(
      Object.values(data).map(({ length }) => length),
      [0, 0],
    );
  }
});

test('a sysctl may be written with slashes', () => {
  const spec = (name: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: x}], securityContext: {sysctls: [{name: ${name}, value: "1"}]}}\n`;
  for (const [name, dotted] of [
    ['net/ipv4/ip_unprivileged_port_start', 'net.ipv4.ip_unprivileged_port_start'],
    ['net/ipv4/conf/eth0.1/forwarding', 'net.ipv4.conf.eth0/1.forwarding'],
    ['net.ipv4.conf.eth0/1.forwarding', 'net.ipv4.conf.eth0/1.forwarding'],
  ] as const) {
    const [found] = read(spec(name)).pods[0]?.spec.securityContext?.sysctls ?? [];
    assert.equal(found?.name, dotted);
  }
  assert.match(faults(spec('kernel/hostname')), /is not supported by pod/);
});

test('a resource is given in the units that the API server takes', () => {
  const spec = (resource: string, divisor: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: x, env: [{name: R, valueFrom: {resourceFieldRef: {resource: ${resource}, divisor: ${divisor}}}}]}]}\n`;
  for (const [resource, divisor] of [
    ['limits.cpu', '1m'],
    ['requests.cpu', '1000m'],
    ['limits.memory', '1Ei'],
    ['requests.memory', '0'],
    ['limits.ephemeral-storage', '1G'],
  ] as const) {
    read(spec(resource, divisor));
  }
  for (const [resource, divisor] of [
    ['limits.cpu', '10m'],
    ['limits.cpu', '1k'],
    ['limits.memory', '1m'],
    ['limits.memory', '2Mi'],
  ] as const) {
    assert.match(faults(spec(resource, divisor)), /divisor: "\w+" must be 1/, divisor);
  }
});

test('a key that is given twice is refused with its place, and objects may be merged twice', () => {
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: x\n  "a": y\n`;
  assert.equal(faults(text), 'm.yaml:6:3: Map keys must be unique');
  const merged = 'data: {<<: {a: x}, <<: {b: w}, "1": z}';
  const [found] = read(
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n${merged}\n`,
  ).configMaps;
  assert.deepEqual(Object.keys(found?.data ?? {}).toSorted(), ['1', 'a', 'b']);
});

test('what would take minutes or gigabytes to read is refused before that', () => {
  const lines = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join('\n');
  for (const [text, rule] of [
    ['['.repeat(100_000), 'is nested too deeply'],
    ['{"a":'.repeat(50_000), 'is nested too deeply'],
    [
      `a0: &a0 x\n${lines(5000, (i) => `a${i + 1}: &a${i + 1} [*a${i}]`)}`,
      'more than 1,000 YAML aliases',
    ],
    ['---\n'.repeat(20_000), 'more than 5,000 YAML documents'],
    [lines(20_000, (i) => `k${i}: v`), 'kind: is missing'],
  ] as const) {
    assert.match(faults(text), new RegExp(rule));
  }
});

test('a number that no float holds is a text, as kubectl reads it', () => {
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 1e999, b: ${'9'.repeat(400)}}\n`;
  const [found] = read(text).configMaps;
  assert.equal(String(found?.data.a), '1e999');
  assert.equal(found?.data.b?.length, 400);
});

test('a hundred faults are shown, and all are counted', () => {
  const items = Array.from({ length: 120 }, (_, i) => `k${i}: 5`).join(', ');
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {${items}}\n`;
  assert.throws(
    () => read(text),
    (error: ManifestError) =>
      error.faults.length === 120 && /k99: .*\nand 20 more$/.test(error.message),
  );
});
