import {
  type Collect,
  checked,
  defaulted,
  list,
  mapped,
  optional,
  type Read,
  type Reader,
  required,
  text,
} from '@sidekit/core/schema';
import { headerName, notEmpty } from './rules.ts';
import { choice, struct } from './support.ts';
import { given, int32, portReference } from './values.ts';

const httpGet = struct({
  port: required(portReference),
  path: defaulted(text(), '/'),
  host: optional(text(notEmpty)),
  scheme: defaulted(choice(['HTTP', 'HTTPS']), 'HTTP'),
  httpHeaders: defaulted(
    list(struct({ name: required(text(headerName)), value: defaulted(text(), '') })),
    [],
  ),
});

const exec = struct({ command: required(list(text(), { min: 1 })) });

const tcpSocket = struct({ port: required(portReference), host: optional(text(notEmpty)) });

const grpc = struct({ port: required(int32(1, 65_535)), service: defaulted(text(), '') });

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];

export const probe = checked(
  struct({
    exec: optional(exec),
    httpGet: optional(httpGet),
    tcpSocket: optional(tcpSocket),
    grpc: optional(grpc),
    initialDelaySeconds: defaulted(int32(0), 0),
    periodSeconds: defaulted(zeroAs(10), 10),
    timeoutSeconds: defaulted(zeroAs(1), 1),
    successThreshold: defaulted(zeroAs(1), 1),
    failureThreshold: defaulted(zeroAs(3), 3),
    terminationGracePeriodSeconds: optional(int32(1)),
  }),
  oneHandler,
);

/** The API server reads 0 as "not given" in a probe. */
function zeroAs(fallback: number): Reader<number> {
  return mapped(int32(0), (value) => value || fallback);
}

export const hook = checked(
  struct(
    {
      exec: optional(exec),
      httpGet: optional(httpGet),
      sleep: optional(struct({ seconds: required(int32(0)) })),
    },
    { cluster: { tcpSocket: 'Kubernetes ignores it too' } },
  ),
  oneHandler,
);

function oneHandler(value: Readonly<Record<string, unknown>>, report: Collect) {
  const count = given(value).filter((name) => HANDLERS.includes(name)).length;
  if (count !== 1) report([], { rule: `needs exactly one handler, not ${count}` });
}

/** Checks the rules of a container's probes that differ by their purpose. */
export function probeRules(
  value: {
    readonly livenessProbe?: Read<typeof probe> | undefined;
    readonly startupProbe?: Read<typeof probe> | undefined;
    readonly readinessProbe?: Read<typeof probe> | undefined;
  },
  report: Collect,
) {
  for (const name of ['livenessProbe', 'startupProbe'] as const) {
    if ((value[name]?.successThreshold ?? 1) !== 1) {
      report([name, 'successThreshold'], { rule: 'must be 1' });
    }
  }
  if (value.readinessProbe?.terminationGracePeriodSeconds !== undefined) {
    report(['readinessProbe', 'terminationGracePeriodSeconds'], {
      rule: 'must not be set for a readiness probe',
    });
  }
}

export type Probe = Read<typeof probe>;

export type Hook = Read<typeof hook>;

export type HttpGet = Read<typeof httpGet>;

export type ExecAction = Read<typeof exec>;

export type TcpSocketAction = Read<typeof tcpSocket>;

export type GrpcAction = Read<typeof grpc>;
