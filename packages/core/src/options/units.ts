import { Broken } from '../schema/reader.ts';
import { scalar, type Type } from './type.ts';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = {
  B: 1,
  K: 1000,
  KB: 1000,
  KI: 1024,
  KIB: 1024,
  M: 1000 ** 2,
  MB: 1000 ** 2,
  MI: 1024 ** 2,
  MIB: 1024 ** 2,
  G: 1000 ** 3,
  GB: 1000 ** 3,
  GI: 1024 ** 3,
  GIB: 1024 ** 3,
} as const;

/** The longest time that a timer of Node can hold, in whole days: 2^31 - 1 ms are 24.8. */
const LONGEST = 24 * MILLISECONDS.d;

/**
 * A length of time, in milliseconds: `250ms`, `1.5s`, `1m30s`. Written like Go's and
 * Kubernetes' durations, with `d` for days; a bare 0 is allowed. At most `24d` unless `max`
 * says otherwise: a longer timer would fire at once.
 */
export function duration(min = 0, max: number = LONGEST): Type<number> {
  return scalar(
    'duration',
    { anyOf: [{ type: 'string', pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$|^0$' }, { const: 0 }] },
    (input) => {
      const value = input === 0 ? 0 : typeof input === 'string' ? milliseconds(input) : undefined;
      if (value === undefined) {
        return new Broken(
          'must be a duration',
          'write a number with its unit (ms, s, m, h or d), such as 1s',
        );
      }
      if (value < min) return new Broken(`must be at least ${formatDuration(min)}`);
      return value > max ? new Broken(`must be at most ${formatDuration(max)}`) : value;
    },
    formatDuration,
  );
}

function milliseconds(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  }
  // 1.1s is 1100 ms: to the nanosecond, without the noise of binary fractions.
  return Math.round(total * 1e6) / 1e6;
}

/** Milliseconds in their largest whole unit: `1500` → `1.5s`, `90000` → `90s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  for (const unit of ['d', 'h', 'm'] as const) {
    if (ms % MILLISECONDS[unit] === 0) return `${ms / MILLISECONDS[unit]}${unit}`;
  }
  return ms >= 1000 ? `${ms / 1000}s` : `${ms}ms`;
}

/** An amount of bytes: `512`, `8KiB`, `1Mi`, `10MB`. */
export function size(min = 0, max: number = Number.MAX_SAFE_INTEGER): Type<number> {
  return scalar(
    'size',
    {
      anyOf: [
        { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*([KkMmGg][Ii]?)?[Bb]?$' },
        { type: 'integer', minimum: 0 },
      ],
    },
    (input) => {
      const value = typeof input === 'number' ? input : bytes(input);
      if (value === undefined || !Number.isInteger(value) || value < 0) {
        return new Broken('must be a size in bytes', 'write a number with its unit, such as 8KiB');
      }
      if (value < min) return new Broken(`must be at least ${formatSize(min)}`);
      return value > max ? new Broken(`must be at most ${formatSize(max)}`) : value;
    },
    formatSize,
  );
}

function bytes(input: unknown): number | undefined {
  const match = typeof input === 'string' ? /^(\d+(?:\.\d+)?)\s*([KMG]?i?B?)$/i.exec(input) : null;
  if (!match) return undefined;
  const unit = match[2]?.toUpperCase() || 'B';
  if (!Object.hasOwn(BYTES, unit)) return undefined;
  const exact = Number(match[1]) * BYTES[unit as keyof typeof BYTES];
  // 2.3M is 2300000 in decimal, and a little less in binary fractions.
  const whole = Math.round(exact);
  return Math.abs(exact - whole) < 1e-6 ? whole : exact;
}

/** Bytes in their largest whole binary unit: `8192` → `8KiB`. */
export function formatSize(amount: number): string {
  for (const [unit, factor] of [
    ['GiB', BYTES.GIB],
    ['MiB', BYTES.MIB],
    ['KiB', BYTES.KIB],
  ] as const) {
    if (amount > 0 && amount % factor === 0) return `${amount / factor}${unit}`;
  }
  return `${amount}B`;
}
