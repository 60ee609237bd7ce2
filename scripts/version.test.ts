import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('the versions found are told, so that a check can name the wrong ones', () => {
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
