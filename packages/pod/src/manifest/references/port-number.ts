import { ExpectedError } from '@sidekit/core/tool';
import type { ContainerSpec } from '../schema/container-schema.ts';

/** A port by number, or by the name that one of the containers gives it. */
export function portNumber(
  containers: readonly Pick<ContainerSpec, 'ports'>[],
  port: number | string,
): number | undefined {
  if (typeof port === 'number') return port;
  return containers.flatMap(({ ports }) => ports).find(({ name }) => name === port)?.containerPort;
}

/** As `portNumber`. @throws {ExpectedError} if no container gives a port that name. */
export function knownPort(
  containers: readonly Pick<ContainerSpec, 'ports'>[],
  port: number | string,
): number {
  const number = portNumber(containers, port);
  if (number === undefined)
    throw new ExpectedError(`no port of the container has the name ${port}`);
  return number;
}
