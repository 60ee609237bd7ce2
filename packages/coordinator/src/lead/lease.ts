import { isRecord } from '@sidekit/core/schema';

/** The longest identity that is shown, in characters. */
const SHOWN = 253;

/** A Lease of `coordination.k8s.io/v1`; what this program does not know is kept as it is. */
export interface Lease {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** The fields of a Lease that an election needs, each checked. */
export interface LeaseRecord {
  /** Who holds it; empty if nobody does. */
  readonly holder: string;
  /** How long the holder may be silent, in milliseconds; undefined if it does not say. */
  readonly duration: number | undefined;
  /** How often the holder has changed. */
  readonly transitions: number;
}

/** Reads the spec of a Lease, in which anyone with access may have written anything. */
export function recordOf({ spec = {} }: Lease): LeaseRecord {
  const { holderIdentity, leaseDurationSeconds: seconds, leaseTransitions } = spec;
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    duration: isCount(seconds) && seconds > 0 ? seconds * 1000 : undefined,
    transitions: isCount(leaseTransitions) ? leaseTransitions : 0,
  };
}

/** Returns a Lease with another spec, and the resource version that it had. */
export function withSpec(lease: Lease, spec: Readonly<Record<string, unknown>>): Lease {
  return { ...lease, spec: { ...lease.spec, ...spec } };
}

/** Returns an identity for logs: at most 253 characters. */
export function shown(identity: string): string {
  return identity.length <= SHOWN ? identity : `${identity.slice(0, SHOWN)}…`;
}

/** Whether a value that was read is a Lease as far as an election needs one. */
export function isLease(value: unknown): value is Lease {
  return (
    isRecord(value) &&
    isRecord(value.metadata) &&
    typeof value.metadata.resourceVersion === 'string' &&
    (value.spec === undefined || isRecord(value.spec))
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
