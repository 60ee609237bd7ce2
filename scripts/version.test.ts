import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { withRegistry, withVersion } from './version.ts';

const IMAGE = /(\bsidekit\/[a-z-]+:)\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/g;

test('every image reference gets the new version, pre-releases included', () => {
  const text =
    'image: sidekit/mq:0.1.0\nimage: sidekit/file-writer:0.1.0-rc.1\nimage: nginx:1.2.3\n';
  assert.equal(
    withVersion(text, IMAGE, '0.2.0'),
    'image: sidekit/mq:0.2.0\nimage: sidekit/file-writer:0.2.0\nimage: nginx:1.2.3\n',
  );
});

test('the versions found are reported, so that a check can name the wrong ones', () => {
  const found: string[] = [];
  withVersion('sidekit/mq:0.1.0 sidekit/adapter:0.0.9', IMAGE, '0.1.0', (v) => found.push(v));
  assert.deepEqual(found, ['0.1.0', '0.0.9']);
});

test('rendering names the registry and leaves foreign images alone', () => {
  assert.equal(
    withRegistry('  image: sidekit/mq:0.1.0\n  image: nginx:1\n', 'registry.example/sidekit'),
    '  image: registry.example/sidekit/mq:0.1.0\n  image: nginx:1\n',
  );
});

/** A copy of what the repository holds of this version; what the repository ignores stays away. */
function copyOfRepository(directory: string): string[] {
  const listed = execFileSync('git', [
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    '-z',
  ]);
  const paths = listed
    .toString()
    .split('\0')
    .filter((path) => /\.(json|yaml|yml|md|hcl|ts)$/.test(path));
  for (const path of paths) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    cpSync(path, join(directory, path));
  }
  return paths;
}

function version(cwd: string, ...args: string[]) {
  const script = resolve('scripts/version.ts');
  return spawnSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8' });
}

test('one command rewrites every place of this repository that names the version', () => {
  using directory = temporaryDirectory('version');
  const paths = copyOfRepository(directory.path);
  const { version: old } = JSON.parse(readFileSync('package.json', 'utf8'));
  const next = '97.3.1-rc.2';
  const { status, stdout, stderr } = version(directory.path, next);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^97\.3\.1-rc\.2 in \d+ files and package-lock\.json\n$/);
  // Tests of this command, examples in comments and recorded samples speak of versions as such.
  const free = /\.test\.(ts|yaml)$|^(images|bench|scripts)\//;
  for (const path of paths.filter((one) => !free.test(one))) {
    const text = readFileSync(join(directory.path, path), 'utf8');
    const named = [
      ...text.matchAll(/\bsidekit\/[a-z-]+:(\d\S*\d)/g),
      ...(/^(packages\/[^/]+\/)?package\.json$/.test(path)
        ? text.matchAll(/^ +"(?:version(?=": "\d)|@sidekit\/[a-z-]+)": "([^"]+)"/gm)
        : []),
    ];
    for (const [whole, found] of named) assert.equal(found, next, `${path}: ${whole} (was ${old})`);
  }
  assert.equal(version(directory.path, '--check', next).status, 0);
});

test('a place that was left behind is named by --check', () => {
  using directory = temporaryDirectory('version');
  copyOfRepository(directory.path);
  const { version: now } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.equal(version(directory.path, '--check', now).stderr, '');
  appendFileSync(join(directory.path, 'manifests/pods/adapter.yaml'), '# sidekit/mq:0.0.9\n');
  const { status, stderr } = version(directory.path, '--check', now);
  assert.equal(status, 1);
  assert.equal(stderr, `manifests/pods/adapter.yaml says 0.0.9\nRun: npm run version -- ${now}\n`);
});

test('the rendered manifests name the registry, whatever kind of manifest they are', () => {
  using directory = temporaryDirectory('version');
  const paths = copyOfRepository(directory.path);
  const { status, stderr } = version(directory.path, '--render', 'r.example/sidekit', 'out');
  assert.equal(status, 0, stderr);
  const manifests = paths.filter((path) => /^manifests\/.*\.yaml$/.test(path));
  assert.ok(manifests.length > 10);
  for (const path of manifests) {
    const text = readFileSync(join(directory.path, path.replace(/^manifests/, 'out')), 'utf8');
    for (const [, image = ''] of text.matchAll(
      /^\s*(?:- )?image: *([\w./:-]*sidekit[\w./:-]*)/gm,
    )) {
      assert.match(image, /^r\.example\/sidekit\/[a-z-]+:\d+\.\d+\.\d+/, path);
    }
  }
});

test('the injection is rendered as one file with the registry', () => {
  using directory = temporaryDirectory('version');
  copyOfRepository(directory.path);
  version(directory.path, '--render', 'r.example/sidekit', 'out');
  const text = readFileSync(join(directory.path, 'out/injection.yaml'), 'utf8');
  assert.match(text, /^ {4}sidekit\.dev\/registry: r\.example\/sidekit$/m);
  assert.equal([...text.matchAll(/^kind: MutatingAdmissionPolicy$/gm)].length, 7);
});

test('what is no version is bad usage', () => {
  using directory = temporaryDirectory('version');
  const { status, stderr } = version(directory.path, '1.2');
  assert.equal(status, 64);
  assert.match(stderr, /"1\.2" is not a version: write MAJOR\.MINOR\.PATCH/);
  assert.equal(version(directory.path).status, 64);
});
