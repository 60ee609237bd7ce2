import type { ContainerSpec } from '../schema/container-schema.ts';

/** A port by number, or by the name that one of the containers gives it. */
export function portNumber(
  containers: readonly Pick<ContainerSpec, 'ports'>[],
  port: number | string,
): number | undefined {
  if (typeof port === 'number') return port;
  return containers.flatMap(({ ports }) => ports).find(({ name }) => name === port)?.containerPort;
}
