/** Milliseconds of each unit (PROTOCOL-HTTP2.md of grpc/grpc, Timeout). */
const UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The longest deadline, in milliseconds: 24 hours, which are eight digits. */
export const MAX_TIMEOUT = 86_400_000;

/**
 * Reads a `grpc-timeout`: one to eight digits and a unit. Returns milliseconds, or undefined if it
 * is malformed.
 */
export function parseGrpcTimeout(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNITS[unit]!;
}

/** Formats whole milliseconds, up to `MAX_TIMEOUT`. */
export function formatGrpcTimeout(milliseconds: number): string {
  return `${milliseconds}m`;
}
