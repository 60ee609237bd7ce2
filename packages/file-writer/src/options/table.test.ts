import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveOptions, UsageError } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import { fileSpecs, table } from './table.ts';

async function read(argv: readonly string[], environment = {}) {
  const invocation = await resolveOptions(table, { argv, environment });
  if (invocation.kind !== 'run') throw new Error(invocation.kind);
  return { ...invocation, specs: fileSpecs(invocation.values) };
}

async function faults(argv: readonly string[]): Promise<string[]> {
  try {
    await read(argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  throw new Error('the options are good');
}

test('one file is given by flags or variables', async () => {
  const { specs } = await read([
    '--source',
    'clock',
    '--target',
    '/html/index.html',
    '--interval',
    '1s',
  ]);
  assert.equal(specs.length, 1);
  assert.equal(specs[0]?.interval, 1000);
  assert.equal(specs[0]?.clockMode, 'append');
  const environment = {
    FILE_WRITER_SOURCE: 'dir',
    FILE_WRITER_FROM: '/a',
    FILE_WRITER_TARGET: '/b',
  };
  assert.equal((await read([], environment)).specs[0]?.from, '/a');
});

test('many files inherit options from outside the list, unless their source cannot use them', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'config.yaml');
  writeFileSync(
    config,
    `interval: 1s
mode: "0600"
caFile: /ca.pem
files:
  - {source: http, url: [https://h/a], target: /out/a, interval: 2s}
  - {source: clock, target: /out/b, mode: "0640"}
`,
  );
  const { specs } = await read(['--config', config]);
  assert.deepEqual(
    specs.map(({ interval, mode, caFile }) => [interval, mode, caFile]),
    [
      [2000, 0o600, '/ca.pem'],
      [1000, 0o640, undefined],
    ],
  );
});

test('every fault is reported at once, with its remedy', async () => {
  assert.deepEqual(await faults([]), [
    '--source is missing: give clock | http | git | template | dir | kubernetes',
    '--target is missing: give the path to write',
  ]);
  assert.deepEqual(await faults(['--source', 'git', '--target', '/html/', '--url', 'http://h/a']), [
    '--target "/html/" must end with the name of a file: write /directory/name',
    '--url does not apply to the source git: leave it out, or choose the source http',
    '--repository is missing for the source git: give --repository',
  ]);
  assert.deepEqual(
    await faults(['--mode', '9', '--notify-status', '99', '--owner', 'root', '--sha256', 'x']),
    [
      '--mode "9" must be a mode of three octal digits: write it as "0644", in quotes in YAML',
      '--owner "root" must be a numeric user and group: write it as 1000:1000',
      '--sha256 "x" must be a SHA-256 in 64 lower-case hexadecimal digits: take the output of sha256sum',
      '--notify-status "99" must be an HTTP status: write 204 or 200-299',
    ],
  );
  const twice = [
    '--source',
    'http',
    '--target',
    '/t',
    '--url',
    'http://a/x',
    '--url',
    'http://b/x',
  ];
  assert.match((await faults(twice)).join(), /--url "x" gives two files the same name/);
});

test('two files cannot have one target', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'config.yaml');
  writeFileSync(config, 'source: clock\nfiles: [{target: /a/b}, {target: /a/./b}]\n');
  assert.deepEqual(await faults(['--config', config]), [
    'files[1].target "/a/./b" is also files[0].target: give each file its own target',
  ]);
});

test('header values are secret', async () => {
  const argv = ['--source', 'http', '--target', '/t', '--url', 'http://h/x', '--header', 'a=hush'];
  const { changed } = await read(argv);
  assert.equal(changed.header, 'redacted');
});

test('a URL with a percent sign that escapes nothing is taken, and its file is named index', async () => {
  const { specs } = await read(['--source=http', '--target=/t', '--url=https://host/a%zz']);
  assert.deepEqual(specs[0]?.url, [{ url: 'https://host/a%zz', name: 'index' }]);
});
