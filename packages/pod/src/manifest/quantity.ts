const FACTORS: Readonly<Record<string, number>> = {
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
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

/**
 * Reads a Kubernetes quantity: `250m`, `64Mi`, `1.5`, `1e3`
 * (apimachinery, `pkg/api/resource/quantity.go`). Undefined where it is none.
 */
export function parseQuantity(input: string | number): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(
    String(input),
  );
  const factor = match && FACTORS[match[2] ?? ''];
  return match && factor !== null && factor !== undefined ? Number(match[1]) * factor : undefined;
}
