const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * A resource quantity as a number of its base unit: bytes for memory, cores for cpu. Written as
 * in Kubernetes: `500m`, `1.5`, `64Mi`, `1e3`.
 * @throws Error with the rule where it is none.
 */
export function parseQuantity(value: string | number): number {
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(
    String(value),
  );
  if (!match) throw new Error('is not a quantity: write it as 500m, 2, 64Mi or 1G');
  const factor = match[2] ? Number(`1${match[2]}`) : (SUFFIXES[match[3] ?? ''] ?? 1);
  // 100 * 1e-6 is not 0.0001 in binary fractions: 15 digits are what a double holds.
  return Number((Number(match[1]) * factor).toPrecision(15));
}

/** The value of a resourceFieldRef: the quantity in units of `divisor`, rounded up. */
export function divided(quantity: number, divisor: number): string {
  // Binary fractions of decimal quantities: 0.1 / 0.001 is 100.00000000000001.
  return String(Math.ceil(Number((quantity / (divisor || 1)).toPrecision(12))));
}
