import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  eventually,
  freePort,
  startProgram,
  type TestProcess,
  temporaryDirectory,
} from '@sidekit/test-kit';
import { FakeKubernetesApi } from '../testing/kubernetes-api.ts';

const main = new URL('../main.ts', import.meta.url);
const wait = (what: string) => ({ what });

function start(api: FakeKubernetesApi, target: string, ...args: readonly string[]): TestProcess {
  return startProgram(
    main,
    [
      ...(args.some((one) => one.startsWith('--admin=')) ? [] : ['--admin=127.0.0.1:0']),
      ...['--source=kubernetes', '--selector=app=x', `--target=${target}`],
      ...[`--service-account=${api.serviceAccount}`, '--retry-max=200ms', ...args],
    ],
    { env: api.environment },
  );
}

/** The files below a directory with their content. */
function read(path: string): Record<string, string> {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const full = join(parentPath, name);
      return [full.slice(path.length + 1), readFileSync(full, 'utf8')];
    }),
  );
}

async function shows(path: string, files: Readonly<Record<string, string>>) {
  await eventually(
    () => {
      assert.deepEqual(read(path), files);
      return true;
    },
    wait(`the files ${JSON.stringify(files)}`),
  );
}

test('objects of a label become files in folders, and a watch brings changes at once', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'dashboards');
  for (let i = 0; i < 20; i++) api.apply('ConfigMap', `map${i}`, { [`file${i}.json`]: `${i}` });
  api.apply('ConfigMap', 'team', { 'a.json': 'A' }, { folder: 'Team A/sub' });
  api.apply('ConfigMap', 'other', { 'b.json': 'B' }, { labels: { app: 'y' } });
  api.apply('ConfigMap', 'far', { 'c.json': 'C' }, { namespace: 'far' });
  // Without the watch nothing would change within an hour.
  await using writer = start(api, target, '--interval=1h', '--namespace=own', '--namespace=far');
  await writer.event('ready');
  const files: Record<string, string> = { 'Team A/sub/a.json': 'A', 'c.json': 'C' };
  for (let i = 0; i < 20; i++) files[`file${i}.json`] = `${i}`;
  await shows(target, files);

  await eventually(() => api.watches === 2, wait('two watches'));
  api.apply('ConfigMap', 'team', { 'a.json': 'A2' });
  delete files['Team A/sub/a.json'];
  files['a.json'] = 'A2';
  await shows(target, files);
  api.remove('ConfigMap', 'map7');
  delete files['file7.json'];
  await shows(target, files);

  // A watch that is cut is resumed, one that the server has forgotten starts from a new list.
  api.cut();
  api.apply('ConfigMap', 'map8', { 'file8.json': 'changed meanwhile' });
  files['file8.json'] = 'changed meanwhile';
  await shows(target, files);
  await eventually(() => api.watches === 2, wait('two watches again'));
  api.expired = true;
  api.cut();
  api.apply('ConfigMap', 'map9', { 'file9.json': 'after 410' });
  files['file9.json'] = 'after 410';
  await shows(target, files);
});

test('a namespace may have no object, or lose its last one', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'out');
  api.apply('ConfigMap', 'one', { 'a.json': 'A' });
  await using writer = start(
    api,
    target,
    ...['--interval=50ms', '--namespace=own', '--namespace=empty', '--kinds=ConfigMap'],
    '--kinds=Secret',
  );
  await writer.event('ready');
  await shows(target, { 'a.json': 'A' });
  api.remove('ConfigMap', 'one');
  await shows(target, {});
  api.apply('Secret', 'late', { 'b.pem': 'Qg==' }, { namespace: 'empty' });
  await shows(target, { 'b.pem': 'B' });
});

test('polls alone find every change, with little data while nothing changes', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'out');
  api.apply('ConfigMap', 'one', { key: '1' });
  await using writer = start(api, target, '--interval=50ms');
  await writer.event('ready');
  for (let i = 0; i < 3; i++) {
    api.apply('ConfigMap', 'one', { key: `value ${i}` });
    api.cut();
    await shows(target, { key: `value ${i}` });
  }
  const content = api.requests.filter((one) => one.endsWith('application/json')).length;
  await eventually(
    () => api.requests.filter((one) => one.includes('MetadataList')).length > 20,
    wait('polls'),
  );
  assert.equal(
    api.requests.filter((one) => one.endsWith('application/json')).length,
    content,
    'unchanged objects are not read',
  );
});

test('lost access, a replaced token, redirects and errors never remove published files', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'out');
  api.apply('ConfigMap', 'one', { key: '1' });
  await using writer = start(api, target, '--interval=50ms');
  await writer.event('ready');
  for (const status of [403, 401, 500, 302, 410]) {
    api.failWith = status;
    const failed = () =>
      writer.log.some(
        ({ event, msg }) => event === 'check_failed' && `${msg}`.includes(`${status}`),
      );
    await eventually(failed, wait(`a failure by ${status}`));
    assert.deepEqual(read(target), { key: '1' });
  }
  assert.match(
    writer.stderr,
    /give the service account a Role with get, list and watch of configmaps in the namespace own/,
  );
  api.failWith = 0;
  api.token = 'token-2';
  writeFileSync(join(api.serviceAccount, 'token'), 'token-2\n');
  api.apply('ConfigMap', 'one', { key: '2' });
  await shows(target, { key: '2' });
  assert.doesNotMatch(writer.stderr, /token-[12]/);
});

test('a namespace that is lost keeps its files while the others are updated, with a warning', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'out');
  const admin = `127.0.0.1:${await freePort()}`;
  const args = ['--interval=50ms', '--namespace=lost', '--namespace=own', `--admin=${admin}`];
  api.apply('ConfigMap', 'far', { 'c.txt': 'C' }, { namespace: 'lost', folder: 'sub' });
  api.apply('ConfigMap', 'one', { key: '1' });
  const ready = async () => await (await fetch(`http://${admin}/readyz`)).text();
  api.refused.add('lost');
  await using writer = start(api, target, ...args);
  const { msg } = await writer.event('check_failed');
  assert.match(String(msg), /configmaps in the namespace lost/);
  assert.equal(existsSync(target), false, 'without the other namespace nothing is complete');
  api.refused.clear();
  await writer.event('ready');
  await shows(target, { 'sub/c.txt': 'C', key: '1' });
  api.refused.add('lost');
  await eventually(
    async () => /ConfigMaps in the namespace lost/.test(await ready()),
    wait('a warning'),
  );
  for (const value of ['2', '3']) {
    api.apply('ConfigMap', 'far', { 'c.txt': 'unseen' }, { namespace: 'lost', folder: 'sub' });
    api.apply('ConfigMap', 'one', { key: value });
    await shows(target, { 'sub/c.txt': 'C', key: value });
  }
  assert.match(await ready(), /stay as they are: .*give the service account a Role/);
  api.refused.clear();
  await shows(target, { 'sub/c.txt': 'unseen', key: '3' });
  await eventually(async () => !/stay as they are/.test(await ready()), wait('no warning'));
});

for (const [what, replace] of [
  ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
  ['a link', (path: string) => symlinkSync('/etc/hostname', path)],
] as const) {
  test(`${what} in place of a kept file is not read`, async () => {
    using directory = temporaryDirectory('kubernetes');
    await using api = await FakeKubernetesApi.start(directory.path);
    const target = join(directory.path, 'out');
    api.apply('ConfigMap', 'far', { 'c.txt': 'C' }, { namespace: 'lost' });
    api.apply('ConfigMap', 'one', { key: '1' });
    const namespaces = ['--namespace=lost', '--namespace=own'];
    await using writer = start(api, target, '--interval=50ms', ...namespaces);
    await writer.event('ready');
    api.refused.add('lost');
    await writer.event('content_warning');
    rmSync(join(target, 'c.txt'));
    replace(join(target, 'c.txt'));
    api.apply('ConfigMap', 'one', { key: '2' });
    await writer.event('check_failed');
    assert.equal(readFileSync(join(target, 'key'), 'utf8'), '1');
  });
}

test('a list before a watch that never ends is given up when its time is over', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'out');
  api.apply('ConfigMap', 'one', { key: '1' });
  const lists = () => api.requests.filter((one) => one.includes('MetadataList')).length;
  api.drip = true;
  await using _ = start(api, target, '--interval=1h', '--timeout=300ms', '--idle-timeout=1h');
  // One list of the watch, and some of checks; each stays without an end.
  await eventually(() => lists() > 2, wait('lists'));
  api.drip = false;
  await shows(target, { key: '1' });
  await eventually(() => api.watches === 1, wait('a watch'));
});

test('Secrets are decoded and written 0440 at most, also next to ConfigMaps', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  api.apply('Secret', 'secret', { password: Buffer.from('hush\xff', 'latin1').toString('base64') });
  api.apply('ConfigMap', 'plain', { 'a.txt': 'text' });
  for (const [mode, expected] of [
    ['0644', 0o440],
    ['0600', 0o400],
  ] as const) {
    const target = join(directory.path, `out${mode}`);
    await using writer = start(
      api,
      target,
      '--kinds=ConfigMap',
      '--kinds=Secret',
      `--mode=${mode}`,
      '--once',
    );
    assert.equal((await writer.exited).code, 0, writer.stderr);
    assert.equal(readFileSync(join(target, 'password'), 'latin1'), 'hush\xff');
    assert.equal(statSync(join(target, 'password')).mode & 0o777, expected);
    assert.equal(statSync(join(target, 'a.txt')).mode & 0o777, Number.parseInt(mode, 8));
    assert.doesNotMatch(writer.stderr, /hush/);
  }
});

test('an object with a bad folder, key or name clash is left out and explained, the others stay', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'out');
  for (const [i, folder] of ['../up', '/abs', 'a/../b', '.hidden', 'a\0b', 'x/./y'].entries()) {
    api.apply('ConfigMap', `bad${i}`, { [`bad${i}`]: 'x' }, { folder });
  }
  api.apply('ConfigMap', 'keys', { '..data': 'x', '../x': 'x', '.': 'x', 'good.key': 'ok' });
  api.apply('ConfigMap', 'first', { same: '1', dir: 'a file' });
  api.apply('ConfigMap', 'second', { same: '2' });
  api.apply('ConfigMap', 'third', { inside: '3' }, { folder: 'dir' });
  await using writer = start(api, target, '--interval=1h');
  const { msg } = await writer.event('content_warning');
  for (const name of ['bad0', 'bad1', 'bad2', 'bad3', 'bad4', 'bad5', 'keys', 'second', 'third']) {
    assert.match(String(msg), new RegExp(`ConfigMap own/${name}: `), name);
  }
  await shows(target, { 'good.key': 'ok', same: '1', dir: 'a file' });
});

test('limits on objects and bytes keep the old version', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using api = await FakeKubernetesApi.start(directory.path);
  const target = join(directory.path, 'out');
  api.apply('ConfigMap', 'one', { key: '1' });
  const limits = ['--max-files=3', '--max-size=3MiB', '--interval=50ms'];
  await using writer = start(api, target, ...limits);
  await writer.event('ready');
  // Pages of large objects are read in smaller ones.
  for (let i = 0; i < 3; i++) {
    api.apply('ConfigMap', `large${i}`, { [`large${i}`]: 'x'.repeat(1_400_000) });
  }
  await writer.event('check_failed');
  assert.deepEqual(read(target), { key: '1' });
});

test('outside a cluster the source is refused with a remedy', async () => {
  using directory = temporaryDirectory('kubernetes');
  await using writer = startProgram(main, [
    ...['--admin=127.0.0.1:0', '--source=kubernetes', '--selector=app=x'],
    `--target=${join(directory.path, 'out')}`,
  ]);
  assert.equal((await writer.exited).code, 64);
  assert.match(writer.stderr, /KUBERNETES_SERVICE_HOST/);
});
