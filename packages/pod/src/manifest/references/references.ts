import { availableParallelism, totalmem } from 'node:os';
import type { Path } from '@sidekit/core/schema';
import type { PodObject } from '../objects.ts';
import type { ContainerSpec } from '../schema/container-schema.ts';
import { parseQuantity } from '../schema/quantity.ts';
import { environment, volumes } from './data-references.ts';
import { ports, probePorts, servicePorts } from './port-references.ts';
import { type Fault, type References, unknownName } from './reference-faults.ts';

/** Checks the references between objects: volumes, keys, ports, names, the machine's size. */
export function checkReferences(all: References): void {
  const hostPorts = new Map<string, string>();
  for (const { pod, report: fault } of all.pods) {
    const { spec } = pod;
    containerNames(pod, fault);
    for (const [field, containers] of [
      ['initContainers', spec.initContainers],
      ['containers', spec.containers],
    ] as const) {
      for (const [index, container] of containers.entries()) {
        const at: Path = [field, index];
        mounts(container, pod, at, fault);
        ports(container, at, fault, hostPorts, pod.metadata.name);
        probePorts(container, at, fault);
        environment(container, pod, all, at, fault);
      }
    }
    volumes(pod, all, fault);
    size(pod, fault);
    if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers.length) {
      fault(['dnsConfig', 'nameservers'], { rule: 'is missing with dnsPolicy: None' });
    }
    if (spec.shareProcessNamespace && spec.hostPID) {
      fault(['shareProcessNamespace'], { rule: 'must not be set together with hostPID' });
    }
  }
  for (const placed of all.services) servicePorts(placed, all.pods);
}

function containerNames({ spec }: PodObject, fault: Fault) {
  const names = new Set(spec.containers.map(({ name }) => name));
  for (const [index, { name }] of spec.initContainers.entries()) {
    if (names.has(name)) {
      fault(['initContainers', index, 'name'], {
        value: name,
        rule: 'is a duplicate: it is also the name of a container',
      });
    }
  }
}

function mounts(container: ContainerSpec, { spec }: PodObject, at: Path, fault: Fault) {
  const known = spec.volumes.map(({ name }) => name);
  for (const [index, { name }] of container.volumeMounts.entries()) {
    if (!known.includes(name)) {
      fault(
        [...at, 'volumeMounts', index, 'name'],
        unknownName(name, 'is not a volume of the Pod', known),
      );
    }
  }
}

/** Checks as the scheduler does: a Pod that requests more than the machine has never starts. */
function size({ spec }: PodObject, fault: Fault) {
  const machine = { cpu: availableParallelism(), memory: totalmem() };
  for (const resource of ['cpu', 'memory'] as const) {
    const request = ({ resources }: ContainerSpec) =>
      parseQuantity(resources.requests[resource] ?? resources.limits[resource] ?? 0);
    const sidecars = spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
    const asked = [...spec.containers, ...sidecars].reduce((sum, one) => sum + request(one), 0);
    const most = Math.max(asked, ...spec.initContainers.map(request));
    if (most <= machine[resource]) continue;
    const shown = (amount: number) =>
      resource === 'cpu' ? `${amount}` : `${Math.ceil(amount / 2 ** 20)}Mi`;
    fault(['containers'], {
      category: 'unsupported',
      rule: `insufficient ${resource}: the Pod requests ${shown(most)}, this machine has ${shown(machine[resource])}`,
      remedy: 'lower the requests',
    });
  }
}
