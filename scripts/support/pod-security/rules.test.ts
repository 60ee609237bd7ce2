import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Loose, podSecurityFaults } from './rules.ts';
import { podTemplates } from './templates.ts';

/** A Pod that satisfies every rule, changed by `change`. */
function pod(change: (spec: Loose, container: Loose) => void = () => {}): Loose {
  const container: Loose = {
    name: 'app',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const spec = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } as Loose,
    containers: [container],
  };
  change(spec, container);
  return { metadata: {}, spec };
}

test('a Pod that satisfies every rule has no fault', () => {
  assert.deepEqual(podSecurityFaults(pod()), []);
});

test('settings of the container alone satisfy the rules too', () => {
  const alone = pod((spec, container) => {
    Object.assign(container.securityContext, spec.securityContext);
    spec.securityContext = {};
  });
  assert.deepEqual(podSecurityFaults(alone), []);
});

test('what restricted allows is allowed', () => {
  const allowed = pod((spec, container) => {
    spec.volumes = [
      { name: 'a', emptyDir: {} },
      { name: 'b', projected: {} },
    ];
    spec.securityContext.sysctls = [{ name: 'net.ipv4.tcp_syncookies', value: '1' }];
    spec.securityContext.seLinuxOptions = { type: 'container_t', level: 's0' };
    container.securityContext.capabilities.add = ['NET_BIND_SERVICE'];
    container.securityContext.procMount = 'Default';
    container.securityContext.appArmorProfile = { type: 'RuntimeDefault' };
    container.ports = [{ containerPort: 80, hostPort: 0 }];
    container.livenessProbe = { httpGet: { port: 80, host: '' } };
  });
  assert.deepEqual(podSecurityFaults(allowed), []);
});

const BAD: Readonly<Record<string, (spec: Loose, container: Loose) => void>> = {
  'spec.hostNetwork': (spec) => (spec.hostNetwork = true),
  'spec.hostPID': (spec) => (spec.hostPID = true),
  'spec.hostIPC': (spec) => (spec.hostIPC = true),
  'spec.volumes[v]': (spec) => (spec.volumes = [{ name: 'v', hostPath: { path: '/' } }]),
  'spec.securityContext.sysctls': (spec) =>
    (spec.securityContext.sysctls = [{ name: 'fs.mqueue.msg_max', value: '100' }]),
  'spec.securityContext.runAsUser': (spec) => (spec.securityContext.runAsUser = 0),
  'spec.securityContext.windowsOptions.hostProcess': (spec) =>
    (spec.securityContext.windowsOptions = { hostProcess: true }),
  'spec.securityContext.seLinuxOptions.type': (spec) =>
    (spec.securityContext.seLinuxOptions = { type: 'spc_t' }),
  'spec.securityContext.seLinuxOptions.user': (spec) =>
    (spec.securityContext.seLinuxOptions = { user: 'system_u' }),
  'spec.securityContext.appArmorProfile.type': (spec) =>
    (spec.securityContext.appArmorProfile = { type: 'Unconfined' }),
  'spec.securityContext.runAsNonRoot': (spec, container) => {
    spec.securityContext.runAsNonRoot = false;
    container.securityContext.runAsNonRoot = true;
  },
  'spec.securityContext.seccompProfile.type': (spec, container) => {
    spec.securityContext.seccompProfile = { type: 'Unconfined' };
    container.securityContext.seccompProfile = { type: 'RuntimeDefault' };
  },
  'spec.containers[app].securityContext.runAsNonRoot': (spec) =>
    delete spec.securityContext.runAsNonRoot,
  'spec.containers[app].securityContext.seccompProfile.type': (spec) =>
    delete spec.securityContext.seccompProfile,
  'spec.containers[app].securityContext.runAsUser': (_, { securityContext }) =>
    (securityContext.runAsUser = 0),
  'spec.containers[app].securityContext.privileged': (_, { securityContext }) =>
    (securityContext.privileged = true),
  'spec.containers[app].securityContext.procMount': (_, { securityContext }) =>
    (securityContext.procMount = 'Unmasked'),
  'spec.containers[app].securityContext.allowPrivilegeEscalation': (_, { securityContext }) =>
    delete securityContext.allowPrivilegeEscalation,
  'spec.containers[app].securityContext.capabilities.drop': (_, { securityContext }) =>
    (securityContext.capabilities = { drop: ['NET_RAW'] }),
  'spec.containers[app].securityContext.capabilities.add': (_, { securityContext }) =>
    (securityContext.capabilities.add = ['SYS_PTRACE']),
  'spec.containers[app].ports.hostPort': (_, container) =>
    (container.ports = [{ containerPort: 80, hostPort: 80 }]),
  'spec.containers[app].livenessProbe.host': (_, container) =>
    (container.livenessProbe = { httpGet: { port: 80, host: '10.0.0.1' } }),
  'spec.containers[app].lifecycle.preStop.host': (_, container) =>
    (container.lifecycle = { preStop: { httpGet: { port: 80, host: 'metadata' } } }),
};

for (const [path, spoil] of Object.entries(BAD)) {
  test(`${path} is named where it breaks the rule`, () => {
    const faults = podSecurityFaults(pod(spoil));
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.equal(faults[0]?.split(': ')[0], path);
  });
}

test('an unconfined AppArmor annotation is a fault', () => {
  const one = pod();
  one.metadata.annotations = {
    'container.apparmor.security.beta.kubernetes.io/app': 'unconfined',
    'example.com/other': 'unconfined',
  };
  assert.equal(podSecurityFaults(one).length, 1);
});

test('init containers and ephemeral containers are held to the same rules', () => {
  for (const field of ['initContainers', 'ephemeralContainers']) {
    const faults = podSecurityFaults(pod((spec) => (spec[field] = [{ name: 'bare' }])));
    assert.deepEqual(
      faults.map((fault) => fault.split(':')[0]),
      ['allowPrivilegeEscalation', 'capabilities.drop'].map(
        (rule) => `spec.${field}[bare].securityContext.${rule}`,
      ),
    );
  }
});

test('the Pods of workloads are found, and other objects have none', () => {
  const template = pod();
  assert.deepEqual(podTemplates({ kind: 'Pod', ...template }), [{ kind: 'Pod', ...template }]);
  assert.deepEqual(podTemplates({ kind: 'StatefulSet', spec: { template } }), [template]);
  const jobTemplate = { spec: { template } };
  assert.deepEqual(podTemplates({ kind: 'CronJob', spec: { jobTemplate } }), [template]);
  assert.deepEqual(podTemplates({ kind: 'List', items: [{ kind: 'Job', spec: { template } }] }), [
    template,
  ]);
  assert.deepEqual(podTemplates({ kind: 'Service', spec: {} }), []);
});
