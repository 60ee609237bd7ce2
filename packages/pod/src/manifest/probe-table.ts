import {
  checked,
  defaulted,
  list,
  mapped,
  optional,
  type Read,
  type Reader,
  required,
  struct,
} from './reader.ts';
import { notEmpty } from './rules.ts';
import { choice, integer, text } from './scalars.ts';
import { portReference } from './value-readers.ts';

const httpGet = struct({
  port: required(portReference),
  path: defaulted(text(), '/'),
  host: optional(text(notEmpty)),
  scheme: defaulted(choice(['HTTP', 'HTTPS']), 'HTTP'),
  httpHeaders: defaulted(
    list(struct({ name: required(text(notEmpty)), value: defaulted(text(), '') })),
    [],
  ),
});

const exec = struct({ command: required(list(text(), { min: 1 })) });

const tcpSocket = struct({ port: required(portReference), host: optional(text(notEmpty)) });

export const probe = checked(
  struct(
    {
      exec: optional(exec),
      httpGet: optional(httpGet),
      tcpSocket: optional(tcpSocket),
      initialDelaySeconds: defaulted(integer(0), 0),
      periodSeconds: defaulted(zeroAs(10), 10),
      timeoutSeconds: defaulted(zeroAs(1), 1),
      successThreshold: defaulted(zeroAs(1), 1),
      failureThreshold: defaulted(zeroAs(3), 3),
      terminationGracePeriodSeconds: optional(integer(1)),
    },
    { refused: { grpc: 'use an exec, httpGet or tcpSocket probe' } },
  ),
  (value, fault) => oneHandler(value, fault),
);

/** The API server reads 0 as "not given" in a probe. */
function zeroAs(fallback: number): Reader<number> {
  return mapped(integer(0), (value) => value || fallback);
}

export const hook = checked(
  struct(
    {
      exec: optional(exec),
      httpGet: optional(httpGet),
      sleep: optional(struct({ seconds: required(integer(0)) })),
    },
    { refused: { tcpSocket: 'Kubernetes ignores it too' } },
  ),
  (value, fault) => oneHandler(value, fault),
);

function oneHandler(
  value: {
    readonly exec?: unknown;
    readonly httpGet?: unknown;
    readonly tcpSocket?: unknown;
    readonly sleep?: unknown;
  },
  fault: (at: readonly string[], message: string) => void,
) {
  const given = [value.exec, value.httpGet, value.tcpSocket, value.sleep].filter(
    (handler) => handler !== undefined,
  ).length;
  if (given !== 1) fault([], `needs exactly one handler, not ${given}`);
}

export function probeRules(
  value: {
    readonly livenessProbe?: Read<typeof probe> | undefined;
    readonly startupProbe?: Read<typeof probe> | undefined;
    readonly readinessProbe?: Read<typeof probe> | undefined;
  },
  fault: (at: readonly string[], message: string) => void,
) {
  for (const name of ['livenessProbe', 'startupProbe'] as const) {
    if ((value[name]?.successThreshold ?? 1) !== 1) fault([name, 'successThreshold'], 'must be 1');
  }
  if (value.readinessProbe?.terminationGracePeriodSeconds !== undefined) {
    fault(
      ['readinessProbe', 'terminationGracePeriodSeconds'],
      'must not be set for a readiness probe',
    );
  }
}

export type Probe = Read<typeof probe>;

export type Hook = Read<typeof hook>;

export type HttpGet = Read<typeof httpGet>;

export type ExecAction = Read<typeof exec>;

export type TcpSocketAction = Read<typeof tcpSocket>;
