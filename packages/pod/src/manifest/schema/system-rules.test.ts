import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManifestError } from '../manifest-error.ts';
import { readWorkload } from '../workload.ts';

/** Returns the faults of a Pod for an operating system, without those that are skipped. */
function faults(system: string, spec: string, container = ''): readonly string[] {
  const more = container === '' ? '' : `, securityContext: {${container}}`;
  const text = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {os: {name: ${system}}, containers: [{name: a, image: x${more}}], ${spec}}
`;
  try {
    readWorkload([{ name: 'm', text }], { strict: false, unsupported: 'warn', allowHost: true });
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.faults.map((one) => one.replace(/^m:\d+:\d+: Pod web: spec\./, ''));
  }
}

const LINUX = 'must not be set in a Pod with os.name: windows';
const WINDOWS = 'must not be set in a Pod with os.name: linux';

test('a Pod for Windows has no field that only Linux has', () => {
  assert.deepEqual(faults('windows', 'securityContext: {runAsUser: 1, fsGroup: 2}'), [
    `securityContext.runAsUser: ${LINUX}`,
    `securityContext.fsGroup: ${LINUX}`,
  ]);
  // It is a choice, also one of false.
  assert.deepEqual(faults('windows', 'shareProcessNamespace: false', 'privileged: false'), [
    `shareProcessNamespace: ${LINUX}`,
    `containers[0].securityContext.privileged: ${LINUX}`,
  ]);
  const none = 'hostPID: false, securityContext: {runAsNonRoot: true, sysctls: [], fsGroup: null}';
  assert.deepEqual(faults('windows', none, 'windowsOptions: {runAsUserName: a}'), []);
});

test('a Pod for Linux has no options of Windows, which one for any system may have', () => {
  const options = 'windowsOptions: {runAsUserName: a}';
  assert.deepEqual(faults('linux', `securityContext: {${options}}`, options), [
    `securityContext.windowsOptions: ${WINDOWS}`,
    `containers[0].securityContext.windowsOptions: ${WINDOWS}`,
  ]);
  assert.deepEqual(faults('linux', 'securityContext: {runAsUser: 1}', 'privileged: false'), []);
});
