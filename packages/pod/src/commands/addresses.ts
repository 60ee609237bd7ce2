import type { PodFolder } from '../store/folder.ts';
import type { PodRecord } from '../store/record.ts';
import type { Session } from './session.ts';
import { hasEnded } from './summary.ts';

/** Prints the addresses of the Pods' Services and ports on this machine. */
export function printAddresses(folders: readonly PodFolder[], session: Session) {
  const running = folders.filter(({ status }) => status && !hasEnded(status));
  const lines = new Set(running.flatMap(({ record }) => addressesOf(record)));
  for (const line of lines) session.print(line);
}

/** The part of a Pod's record that its addresses follow from. */
type AddressedPod = Pick<PodRecord, 'pod' | 'services' | 'forwards' | 'hostPorts'>;

/** Lists the addresses of one Pod, each after what it leads to. */
export function addressesOf({ pod, services, forwards, hostPorts }: AddressedPod): string[] {
  const { name } = pod.metadata;
  const declared = [...pod.spec.initContainers, ...pod.spec.containers].flatMap(
    ({ ports }) => ports,
  );
  const schemeOf = (port: number, words: readonly (string | undefined)[] = [], outer = port) => {
    const own = declared.find(({ containerPort }) => containerPort === port);
    return scheme([...words, own?.name], [outer, port]);
  };
  return [
    ...services.flatMap(({ name: service, ports }) =>
      ports.flatMap(({ name: of, port, target, host, appProtocol }) => {
        if (host === undefined) return [];
        const address = `${schemeOf(target, [appProtocol, of], port)}://127.0.0.1:${host}`;
        return [`${of ? `${service}/${of}` : service}  ${address}`];
      }),
    ),
    ...forwards.map(
      ({ containerPort, host }) =>
        `${name}:${containerPort}  ${schemeOf(containerPort)}://127.0.0.1:${host}`,
    ),
    ...hostPorts.map(
      ({ hostIP, hostPort, containerPort }) =>
        `${name}:${containerPort}  ${schemeOf(containerPort)}://${hostIP}:${hostPort}`,
    ),
  ];
}

/** Returns the protocol that an appProtocol or a name such as `https-admin` says, else that of the number. */
function scheme(words: readonly (string | undefined)[], ports: readonly number[]): string {
  for (const word of words) {
    const [, said] = /^(https?)(-|$)/.exec(word ?? '') ?? [];
    if (said !== undefined) return said;
  }
  return ports.includes(443) || ports.includes(8443) ? 'https' : 'http';
}
