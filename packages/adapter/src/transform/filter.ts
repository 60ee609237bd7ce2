import { Broken, refine, text } from '@sidekit/core';
import type { LogRecord } from '../parse/parser.ts';
import { compilePattern } from '../parse/regex.ts';

/** `field=value` or `field~pattern`, with an RE2 pattern. */
const CONDITION = /^([^=~]+)([=~])(.*)$/s;

/** A condition on a field of a record. */
export const condition = refine(text('condition'), (source) => {
  const [, , kind, value = ''] = CONDITION.exec(source) ?? [];
  if (kind === undefined)
    return new Broken('must be a condition', 'write field=value or field~pattern');
  try {
    if (kind === '~') compilePattern(value);
    return undefined;
  } catch (error) {
    return new Broken(
      `has a pattern that does not run in linear time (${(error as Error).message})`,
      "use RE2's syntax, without look-around and back-references",
    );
  }
});

export interface FilterOptions {
  /** Conditions of which a record must meet one; without any, every record is kept. */
  readonly keepRecords: readonly string[];
  /** Conditions of which a record must meet none. */
  readonly dropRecords: readonly string[];
  /** The share of records to keep, from 0 to 1. */
  readonly sampleRate: number;
  /** The field whose values are kept or dropped together; without it, each record on its own. */
  readonly sampleKey: string | undefined;
}

/**
 * Creates the test whether a record is kept; undefined if all are. A record that is delivered again
 * gets the same answer.
 */
export function recordFilter({
  keepRecords,
  dropRecords,
  sampleRate,
  sampleKey,
}: FilterOptions): ((record: LogRecord, id: string) => boolean) | undefined {
  const keeps = keepRecords.map(testOf);
  const drops = dropRecords.map(testOf);
  if (keeps.length + drops.length === 0 && sampleRate >= 1) return undefined;
  return (record, id) => {
    if (keeps.length > 0 && !keeps.some((test) => test(record))) return false;
    if (drops.some((test) => test(record))) return false;
    if (sampleRate >= 1) return true;
    const key = sampleKey === undefined ? undefined : record[sampleKey];
    return fraction(key === undefined ? id : textOf(key)) < sampleRate;
  };
}

function testOf(source: string): (record: LogRecord) => boolean {
  const [, field = '', kind, value = ''] = CONDITION.exec(source) ?? [];
  if (kind === '=') return (record) => textOf(record[field]) === value;
  const pattern = compilePattern(value);
  return (record) => record[field] !== undefined && pattern.test(textOf(record[field]));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Maps text to a number from 0 to 1, evenly (FNV-1a, with the finalizer of MurmurHash3). */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
