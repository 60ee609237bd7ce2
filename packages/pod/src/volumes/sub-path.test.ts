import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podOf } from '../lifecycle/testing/simulation.ts';
import { expandSubPaths } from './sub-path.ts';

const mountsOf = (path: string) =>
  podOf(`
containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /v, subPathExpr: ${path}}]}]
volumes: [{name: v, emptyDir: {}}]`).spec.containers[0]?.volumeMounts ?? [];

const variables = new Map([
  ['POD', 'web-0'],
  ['1st', 'one'],
  ['UP', '..'],
  ['ROOT', '/etc'],
  ['EMPTY', ''],
]);

test('a subPathExpr becomes a subPath by the variables of its container', () => {
  for (const [path, expected] of [
    ['logs/$(POD)', 'logs/web-0'],
    ['$(1st)/$(POD)', 'one/web-0'],
    ['$$(POD)', '$(POD)'],
    ['$(POD', '$(POD'],
    ['a', 'a'],
  ] as const) {
    const [mount] = expandSubPaths(mountsOf(path), variables);
    assert.equal(mount?.subPath, expected);
  }
});

test('a variable that is missing, empty or leads out of the volume is an error', () => {
  for (const [path, message] of [
    ['$(NONE)/$(EMPTY)', /variable NONE, EMPTY is missing or empty/],
    ['a/$(UP)', /must not contain "\.\."/],
    ['$(ROOT)', /must be a relative path/],
  ] as const) {
    assert.throws(() => expandSubPaths(mountsOf(path), variables), message);
  }
});
