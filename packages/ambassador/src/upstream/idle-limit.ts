import { FieldKind } from '../http/field-kind.ts';
import type { ResponseHead } from '../http/response-head.ts';

/**
 * Returns how long a connection may be idle by the upstream's `Keep-Alive: timeout=N`, in
 * milliseconds, with a margin for the way there.
 */
export function idleLimit({ fields }: ResponseHead): number {
  for (let i = 0; i < fields.kinds.length; i++) {
    if (fields.kinds[i] !== FieldKind.hop || !/^keep-alive$/i.test(fields.names[i]!)) continue;
    const seconds = /(?:^|[\s,;])timeout\s*=\s*(\d{1,9})/i.exec(fields.values[i]!)?.[1];
    if (seconds !== undefined) return Math.max(0, Number(seconds) * 1000 - 500);
  }
  return Number.POSITIVE_INFINITY;
}
