import { digitsAt } from '../../parse/calendar.ts';

/** The kinds of metrics that StatsD and DogStatsD send. */
export type Kind = 'counter' | 'gauge' | 'histogram' | 'set';

/** The reasons for which a line, or one value of it, is dropped. */
export type DropCause =
  | 'malformed'
  | 'unsupported'
  | 'invalid_value'
  | 'not_finite'
  | 'negative_counter'
  | 'out_of_range'
  | 'sample_rate'
  | 'too_long'
  | 'mapping'
  | 'conflict'
  | 'series_limit'
  | 'set_limit';

/** One line, of which `values` are not checked yet. */
export interface Line {
  readonly name: string;
  /** The tags as they were sent, without the `#`. */
  readonly tags: string;
  readonly kind: Kind;
  /** Whether the values are milliseconds. */
  readonly timed: boolean;
  readonly values: readonly string[];
  /** Above 0 and at most 1. */
  readonly rate: number;
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['c', 'counter'],
  ['g', 'gauge'],
  ['ms', 'histogram'],
  ['h', 'histogram'],
  ['d', 'histogram'],
  ['s', 'set'],
]);

/** The longest name, tags, and member of a set, in UTF-16 code units: they stay in memory. */
const LONGEST_NAME = 256;
const LONGEST_TAGS = 512;
const LONGEST_MEMBER = 256;

/** With larger values a sum could leave the range of finite numbers. */
const LARGEST = 1e18;

/** A whole number of so many digits is in range. */
const SHORT = 15;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;

/**
 * Parses `name:value[:value…]|type[|@rate][|#tag:value,…]`, as in the StatsD metric types and the
 * DogStatsD protocol 1.3. Other sections, such as a container id or a timestamp, are ignored.
 * Events (`_e{…}`) and service checks (`_sc|…`) are no metrics.
 */
export function parseLine(text: string): Line | DropCause {
  if (text.startsWith('_e{') || text.startsWith('_sc|')) return 'unsupported';
  const colon = text.indexOf(':');
  const bar = text.indexOf('|', colon);
  if (colon <= 0 || bar <= colon + 1) return 'malformed';
  if (colon > LONGEST_NAME) return 'too_long';

  let tags = '';
  let rate = 1;
  const [type = '', ...sections] = text.slice(bar + 1).split('|');
  for (const section of sections) {
    if (section.startsWith('#')) tags = section.slice(1);
    else if (section.startsWith('@')) rate = NUMBER.test(section.slice(1)) ? +section.slice(1) : 0;
  }
  const kind = KINDS.get(type);
  if (kind === undefined) return 'unsupported';
  if (!(rate > 0 && rate <= 1)) return 'sample_rate';
  if (tags.length > LONGEST_TAGS) return 'too_long';

  const value = text.slice(colon + 1, bar);
  if (kind === 'set' && value.length > LONGEST_MEMBER) return 'too_long';
  const values = kind === 'set' ? [value] : value.split(':');
  return { name: text.slice(0, colon), tags, kind, timed: type === 'ms', values, rate };
}

/**
 * Reads a number whose share of a sum, at the sample rate, stays finite: at most 10¹⁸ either way,
 * and of a counter, which only grows, at least 0.
 */
export function parseValue(text: string, { kind, rate }: Line): number | DropCause {
  // Most values are short whole numbers.
  if (text !== '' && text.length <= SHORT && rate === 1) {
    const digits = digitsAt(text, 0, text.length);
    if (digits >= 0) return digits;
  }
  if (!NUMBER.test(text)) return NOT_FINITE.test(text) ? 'not_finite' : 'invalid_value';
  const value = Number(text);
  if (!Number.isFinite(value)) return 'not_finite';
  if (kind === 'counter' && value < 0) return 'negative_counter';
  return Math.max(1, Math.abs(value)) / rate > LARGEST ? 'out_of_range' : value;
}
