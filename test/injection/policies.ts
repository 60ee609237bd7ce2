import { eventually } from '@sidekit/test-kit';
import { must } from '../engine/command.ts';
import type { TestNamespace } from '../engine/namespace.ts';

const POLICIES = 'manifests/injection';

/** The label of a namespace whose Pods get sidecars. */
export const INJECTED = { 'sidekit.dev/injection': 'enabled' };

/** The order in which stacked policies put their containers. */
export const ORDER = [
  'wait-for',
  'coordinator',
  'file-writer',
  'adapter',
  'mq-producer',
  'mq-consumer',
  'ambassador',
];

/** Applies the policies, and waits until they take effect, which is a moment later. */
export async function installPolicies(namespace: TestNamespace): Promise<void> {
  await must('kubectl', ['apply', '-k', POLICIES]);
  const metadata = { name: 'probe', labels: { 'sidekit.dev/ambassador': 'true' } };
  const security = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const spec = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{ name: 'app', image: 'example.org/app:1', securityContext: security }],
  };
  const pod = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
  const created = async () => {
    const { code, stdout } = await namespace.kubectl(
      ['create', '--dry-run=server', '-o', 'json', '-f', '-'],
      pod,
    );
    return code === 0 && JSON.parse(stdout).spec.initContainers?.length === 1;
  };
  await eventually(created, { what: 'the policies take effect', interval: 500 });
}

/** Deletes the policies and their parameters, and waits until they have gone. */
export async function deletePolicies(): Promise<void> {
  await must('kubectl', ['delete', '-k', POLICIES, '--ignore-not-found']);
}
