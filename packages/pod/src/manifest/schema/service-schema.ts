import { isIP } from 'node:net';
import {
  boolean,
  checked,
  defaulted,
  list,
  map,
  optional,
  required,
  text,
} from '@sidekit/core/schema';
import { objectMeta } from './meta-schema.ts';
import { dnsLabel, labelValue, qualifiedName } from './rules.ts';
import { anything, choice, RULES, struct } from './support.ts';
import { int32, portReference, textOfMap } from './values.ts';

/** The range of an API server's --service-node-port-range by default; 0 stands for an absent one. */
const nodePort = optional<number | undefined>((value, path, report) =>
  value === 0 ? undefined : int32(30_000, 32_767)(value, path, report),
);

const servicePort = struct({
  port: required(int32(1, 65_535)),
  // 0 stands for an absent one: the port itself.
  targetPort: optional<number | string>((value, path, report) =>
    value === 0 ? 0 : portReference(value, path, report),
  ),
  // A name here is a DNS label; that of a container's port is shorter.
  name: optional(text(dnsLabel)),
  protocol: defaulted(choice(['TCP'], ['UDP', 'SCTP']), 'TCP'),
  nodePort,
  appProtocol: optional(text()),
});

const serviceSpec = struct(
  {
    selector: defaulted(map(textOfMap(labelValue), qualifiedName), {}),
    ports: defaulted(list(servicePort), []),
    type: defaulted(
      choice(['ClusterIP', 'NodePort', 'LoadBalancer'], ['ExternalName']),
      'ClusterIP',
    ),
    clusterIP: optional(text()),
    clusterIPs: optional(anything),
    publishNotReadyAddresses: defaulted(boolean, false),
    sessionAffinity: defaulted(choice(['None'], ['ClientIP']), 'None'),
    ipFamilies: optional(anything),
    ipFamilyPolicy: optional(anything),
    internalTrafficPolicy: optional(choice(['Cluster'], ['Local'], 'cluster')),
    externalTrafficPolicy: optional(choice(['Cluster'], ['Local'], 'cluster')),
    allocateLoadBalancerNodePorts: optional(anything),
  },
  {
    cluster: [
      'externalIPs',
      'loadBalancerIP',
      'loadBalancerSourceRanges',
      'loadBalancerClass',
      'healthCheckNodePort',
      'trafficDistribution',
    ],
    unsupported: ['externalName', 'sessionAffinityConfig'],
  },
);

export const service = checked(
  struct({
    apiVersion: required(text()),
    kind: required(text()),
    status: optional(anything),
    metadata: required(objectMeta),
    spec: required(serviceSpec),
  }),
  ({ metadata: { name }, spec }, report) => {
    const broken = name === '' ? undefined : dnsLabel(name);
    if (broken) report(['metadata', 'name'], { value: name, rule: broken.rule });
    const { clusterIP, ports, selector, type } = spec;
    if (clusterIP === 'None' && type !== 'ClusterIP') {
      report(['spec', 'clusterIP'], { rule: `must not be None for a Service of type ${type}` });
    }
    if (clusterIP !== undefined && clusterIP !== 'None' && clusterIP !== '') {
      if (isIP(clusterIP) === 0)
        report(['spec', 'clusterIP'], { value: clusterIP, rule: 'must be None or an IP address' });
      report(['spec', 'clusterIP'], { category: 'cluster', rule: RULES.cluster });
    }
    if (Object.keys(selector).length === 0) {
      report(['spec', 'selector'], {
        category: 'unsupported',
        rule: 'is missing: without one there is nothing to send to',
      });
    } else if (ports.length === 0 && clusterIP !== 'None') {
      report(['spec', 'ports'], { rule: 'is missing' });
    }
    const names = new Set<string | undefined>();
    const numbers = new Set<string>();
    for (const [index, { name, nodePort, port, protocol }] of ports.entries()) {
      const at = ['spec', 'ports', index];
      if (nodePort && type === 'ClusterIP') {
        report([...at, 'nodePort'], { rule: 'must not be set for a Service of type ClusterIP' });
      }
      if (ports.length > 1 && name === undefined) {
        report([...at, 'name'], { rule: 'is missing: with several ports each needs a name' });
      } else if (names.has(name)) {
        report([...at, 'name'], { value: name, rule: 'is a duplicate' });
      }
      names.add(name);
      const number = `${protocol} ${port}`;
      if (numbers.has(number)) report([...at, 'port'], { value: port, rule: 'is a duplicate' });
      numbers.add(number);
    }
  },
);
