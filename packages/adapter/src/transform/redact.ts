import { DEEPEST } from '../parse/depth.ts';
import { REDACTED } from '../parse/member-edits.ts';
import type { LogRecord } from '../parse/parser.ts';
import { compilePattern, type Pattern } from '../parse/regex.ts';

export const READY_MADE = ['credit-card', 'bearer-token', 'email'] as const;
export type ReadyMade = (typeof READY_MADE)[number];

type Cleaner = (text: string) => string;

// V8 runs these in linear time: repeats are bounded and not nested.
const CARD = /(?<![\dA-Za-z])\d(?:[ -]?\d){12,18}(?![\dA-Za-z])/g;
const BEARER = /\b(bearer\s{1,4})[A-Za-z0-9._~+/-]{8,4096}={0,2}/gi;
const EMAIL = /[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/g;

const CLEANERS: Readonly<Record<ReadyMade, Cleaner>> = {
  'credit-card': (text) =>
    text.replace(CARD, (number) => (luhn(number.replace(/[ -]/g, '')) ? REDACTED : number)),
  'bearer-token': (text) => text.replace(BEARER, `$1${REDACTED}`),
  email: (text) => (text.includes('@') ? text.replace(EMAIL, REDACTED) : text),
};

export interface RedactOptions {
  readonly redact: readonly ReadyMade[];
  readonly redactPatterns: readonly string[];
  readonly redactFields: readonly string[];
}

/** Redacts fields and text at any depth; undefined if there is nothing to do. */
export function redactor(options: RedactOptions): ((record: LogRecord) => void) | undefined {
  const patterns: Pattern[] = options.redactPatterns.map(compilePattern);
  const cleaners: Cleaner[] = [
    ...options.redact.map((name) => CLEANERS[name]),
    ...patterns.map((pattern) => (text: string) => pattern.replaceAll(text, REDACTED)),
  ];
  const fields = new Set(options.redactFields);
  if (cleaners.length === 0 && fields.size === 0) return undefined;
  const clean = (text: string) => cleaners.reduce((done, cleaner) => cleaner(done), text);
  const walk = (container: Record<string, unknown>, depth: number) => {
    for (const key of Object.keys(container)) {
      const value = container[key];
      if (fields.has(key) || (fields.size > 0 && isDeepText(value, depth))) {
        container[key] = REDACTED;
      } else if (typeof value === 'string') container[key] = clean(value);
      else if (typeof value === 'number' || isRawJson(value)) {
        const text = JSON.stringify(value);
        if (clean(text) !== text) container[key] = REDACTED;
      } else if (typeof value === 'object' && value !== null) {
        walk(value as Record<string, unknown>, depth + 1);
      }
    }
  };
  return (record) => walk(record, 1);
}

/** Whether a value may be what the parser turned into text for its depth, with any fields inside. */
function isDeepText(value: unknown, depth: number): boolean {
  return depth === DEEPEST && typeof value === 'string' && /^[[{]/.test(value);
}

function isRawJson(value: unknown): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}

/** Verifies the check digit of payment card numbers (ISO/IEC 7812-1, annex B). */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 0x30;
    if (i % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 === 0;
}
