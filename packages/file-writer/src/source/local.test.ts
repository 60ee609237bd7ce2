import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { Target } from '../publish/target.ts';
import { writeSettings } from '../testing/write-settings.ts';
import { clockSource, formatTime } from './clock.ts';
import { dirSource } from './dir.ts';
import type { Source } from './source.ts';
import { templateSource } from './template.ts';

function follow(source: Source, path: string) {
  const target = new Target(writeSettings(path, { fsync: false }));
  return async (fresh = false) => {
    const content = await source.poll({ signal: new AbortController().signal, fresh });
    return content && (await target.publish(content));
  };
}

/** Updates a ConfigMap volume as the kubelet does: a new directory, then `..data` is renamed over. */
function updateConfigMap(volume: string, version: string, files: Record<string, string>) {
  mkdirSync(join(volume, `..${version}`), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(volume, `..${version}`, name), text);
    const visible = join(volume, name);
    rmSync(visible, { force: true });
    symlinkSync(join('..data', name), visible);
  }
  symlinkSync(`..${version}`, join(volume, '..data_tmp'));
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
}

test('the clock writes as date(1) does, and in three other formats', () => {
  const time = new Date('2026-11-01T06:02:03.004Z');
  assert.equal(formatTime(time, 'date'), 'Sun Nov  1 06:02:03 UTC 2026');
  assert.equal(formatTime(time, 'rfc3339'), '2026-11-01T06:02:03.004Z');
  assert.equal(formatTime(time, 'rfc9110'), 'Sun, 01 Nov 2026 06:02:03 GMT');
  assert.equal(formatTime(time, 'unix'), '1793512923');
});

test('the clock appends complete lines, starts over at the limit, or keeps one line', async () => {
  using directory = temporaryDirectory('clock');
  const path = join(directory.path, 'index.html');
  const now = () => new Date('2026-11-01T06:02:03Z');
  const line = 'Sun Nov  1 06:02:03 UTC 2026\n';
  const source = clockSource({ clockFormat: 'date', clockMode: 'append' }, now);
  const target = new Target(writeSettings(path, { maxSize: 3 * line.length, mode: 0o664 }));
  for (const lines of [1, 2, 3, 1, 2]) {
    const content = await source.poll({ signal: new AbortController().signal, fresh: false });
    await target.publish(content!);
    assert.equal(readFileSync(path, 'utf8'), line.repeat(lines));
    assert.equal(statSync(path).mode & 0o777, 0o664);
  }
  const restarted = new Target(writeSettings(path, { appends: true }));
  await restarted.open();
  // A line is like any other: it has no digest to compare, whatever the file has.
  assert.equal(restarted.current?.digest, target.current?.digest);
  const replace = clockSource({ clockFormat: 'date', clockMode: 'replace' }, now);
  await follow(replace, path)();
  assert.equal(readFileSync(path, 'utf8'), line);
});

test('a directory is mirrored with its modes and links, and only when it has changed', async () => {
  using directory = temporaryDirectory('dir');
  const [from, path] = [join(directory.path, 'from'), join(directory.path, 'to')];
  mkdirSync(join(from, 'sub'), { recursive: true });
  writeFileSync(join(from, 'a'), 'one');
  writeFileSync(join(from, 'sub/run'), 'x');
  chmodSync(join(from, 'sub/run'), 0o755);
  symlinkSync('../a', join(from, 'sub/link'));
  const check = follow(dirSource({ from, maxFiles: 10 }), path);
  assert.equal((await check())?.changed, true);
  assert.equal(readFileSync(join(path, 'sub/link'), 'utf8'), 'one');
  assert.equal(statSync(join(path, 'sub/run')).mode & 0o777, 0o755);
  assert.notEqual((await check())?.changed, true);
  writeFileSync(join(from, 'a'), 'two');
  assert.equal((await check())?.changed, true);
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'two');
  rmSync(join(from, 'sub'), { recursive: true });
  await check();
  assert.deepEqual(readdirSync(path), ['a']);
});

test('a change of the same size within one tick of the clock is seen', async () => {
  using directory = temporaryDirectory('dir');
  const [from, path] = [join(directory.path, 'from'), join(directory.path, 'to')];
  const check = follow(dirSource({ from, maxFiles: 10 }), path);
  for (let i = 10; i < 60; i++) {
    writeFileSync(from, String(i));
    await check();
    assert.equal(readFileSync(path, 'utf8'), String(i));
  }
});

test('a ConfigMap volume is mirrored as one version, without the names of the kubelet', async () => {
  using directory = temporaryDirectory('dir');
  const [volume, path] = [join(directory.path, 'volume'), join(directory.path, 'to')];
  updateConfigMap(volume, 'v1', { 'app.yaml': 'one', 'more.yaml': '1' });
  const check = follow(dirSource({ from: volume, maxFiles: 10 }), path);
  await check();
  assert.deepEqual(readdirSync(path), ['app.yaml', 'more.yaml']);
  assert.equal(readFileSync(join(path, 'app.yaml'), 'utf8'), 'one');
  updateConfigMap(volume, 'v2', { 'app.yaml': 'two', 'more.yaml': '2' });
  assert.equal((await check())?.changed, true);
  assert.equal(readFileSync(join(path, 'app.yaml'), 'utf8'), 'two');

  const single = join(directory.path, 'single');
  const lookSingle = follow(dirSource({ from: join(volume, 'app.yaml'), maxFiles: 10 }), single);
  await lookSingle();
  updateConfigMap(volume, 'v3', { 'app.yaml': 'three', 'more.yaml': '3' });
  await lookSingle();
  assert.equal(readFileSync(single, 'utf8'), 'three');
});

test('a missing source and one with too many files are explained', async () => {
  using directory = temporaryDirectory('dir');
  const path = join(directory.path, 'to');
  await assert.rejects(follow(dirSource({ from: '/nowhere', maxFiles: 1 }), path)(), {
    reason: 'missing',
    message: /\/nowhere cannot be read .*mount the volume there, or correct --from/,
  });
  const from = join(directory.path, 'from');
  mkdirSync(from);
  for (const name of ['a', 'b']) writeFileSync(join(from, name), '');
  await assert.rejects(follow(dirSource({ from, maxFiles: 1 }), path)(), {
    reason: 'too_large',
    message: /more than 1 files: raise --max-files/,
  });
});

test('a template is rendered from files, environment and the downward API, again after a change', async () => {
  using directory = temporaryDirectory('template');
  const at = (name: string) => join(directory.path, name);
  writeFileSync(
    at('page.liquid'),
    'host={{ env.HOST }} db={{ settings.db.url }} n={{ list[1] }} k={{ map["a.txt"] }}\n{% assign labels = pod.labels | key_values %}app={{ labels.app }} quoted={{ labels["example.com/q"] }} {{ env.NONE | default: "none" }}',
  );
  writeFileSync(at('settings.yaml'), 'db: {url: "x:1"}\n');
  writeFileSync(at('list.json'), '[1, 2]');
  mkdirSync(at('pod'));
  writeFileSync(at('pod/labels'), 'app="shop"\nexample.com/q="a\\"b"');
  updateConfigMap(at('map'), 'v1', { 'a.txt': 'one' });
  const source = templateSource({
    template: at('page.liquid'),
    data: {
      settings: at('settings.yaml'),
      list: at('list.json'),
      pod: at('pod'),
      map: at('map'),
    },
    environment: { HOST: 'h' },
    maxSize: 10_000,
  });
  const check = follow(source, at('out'));
  await check();
  assert.equal(
    readFileSync(at('out'), 'utf8'),
    'host=h db=x:1 n=2 k=one\napp=shop quoted=a"b none',
  );
  assert.equal(await check(), undefined);
  updateConfigMap(at('map'), 'v2', { 'a.txt': 'two' });
  assert.equal((await check())?.changed, true);
  assert.match(readFileSync(at('out'), 'utf8'), /k=two/);
});

test('the files of a template have a limit together', async () => {
  using directory = temporaryDirectory('template');
  const at = (name: string) => join(directory.path, name);
  mkdirSync(at('many'));
  for (const name of ['a', 'b', 'c']) writeFileSync(join(at('many'), name), 'x'.repeat(700_000));
  writeFileSync(at('t'), '{{ many.a | size }}');
  const options = { template: at('t'), environment: {}, maxSize: 1_000_000 };
  const check = follow(templateSource({ ...options, data: { many: at('many') } }), at('out'));
  await assert.rejects(check(), {
    reason: 'too_large',
    message: /^--data many=.* exceeds 2MiB together with the other files of the template/,
  });
  rmSync(join(at('many'), 'c'));
  await check();
  assert.equal(readFileSync(at('out'), 'utf8'), '700000');
});

test('template errors name line and column, and the old content stays', async () => {
  using directory = temporaryDirectory('template');
  const at = (name: string) => join(directory.path, name);
  const check = follow(
    templateSource({
      template: at('t'),
      data: { d: at('d.yaml') },
      environment: { A: 'a' },
      maxSize: 1_000_000,
    }),
    at('out'),
  );
  writeFileSync(at('d.yaml'), 'a: 1\n');
  writeFileSync(at('t'), 'good');
  await check();
  const cases: readonly [template: string, message: RegExp][] = [
    ['one\n  {{ nothing }}', /\/t:2:\d+: undefined variable: nothing.*: correct the template/],
    ['{% if %', /\/t:1:1: /],
    ['\n\n{% for x in d.a %}', /\/t:3:1: .*not closed/],
    ['{{ 1 | nothing }}', /\/t:1:\d+: undefined filter: nothing/],
    ['{{ env.constructor }}', /undefined variable/],
    ['{{ d.__proto__ }}', /undefined variable/],
    ['{% include "/etc/passwd" %}', /ENOENT|Failed to lookup/],
    ['{% render "/etc/passwd" %}', /ENOENT|Failed to lookup/],
    [
      '{% assign a = "1,2,3" | split: "," %}{% for i in (1..40) %}{% assign a = a | concat: a %}{% endfor %}',
      /memory/,
    ],
    ['{% for i in (1..10000000) %}{% endfor %}', /memory/],
  ];
  for (const [template, message] of cases) {
    writeFileSync(at('t'), template);
    await assert.rejects(check(), { reason: 'template', message }, template);
    assert.equal(readFileSync(at('out'), 'utf8'), 'good');
  }
  // More than --max-size; what is written in between does not pile up.
  writeFileSync(at('t'), `{% for i in (1..100000) %}${'x'.repeat(1000)}{% endfor %}`);
  await assert.rejects(check(), { reason: 'too_large', message: /larger than 1000000B/ });
  writeFileSync(at('d.yaml'), 'a: 1\nb: [\n');
  await assert.rejects(check(), { reason: 'data', message: /d\.yaml:\d+:\d+ is not YAML/ });
  rmSync(at('d.yaml'));
  await assert.rejects(check(), { reason: 'missing', message: /--data d=.*cannot be read/ });
});
