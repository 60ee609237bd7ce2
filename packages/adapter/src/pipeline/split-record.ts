import type { LogRecord } from '../parse/parser.ts';
import { KEY_FIELDS } from './record-key.ts';

/** Shorter values, in UTF-16 units, are in both halves: levels, names, and what becomes a label. */
const SHORT = 256;

/**
 * Splits a record that is too large for an output: its longest text, or the JSON of its longest
 * value, or else its fields. Both halves have the key and the time, and a
 * long text keeps the short fields beside it.
 * @returns undefined if nothing is left to split.
 */
export function halvesOf(record: LogRecord): [LogRecord, LogRecord] | undefined {
  const fields = Object.entries(record).map(([name, value]) => ({
    ...{ name, value },
    text: typeof value === 'string' ? value : (JSON.stringify(value) ?? ''),
  }));
  const longest = fields.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  if (longest.text.length > SHORT) {
    const { name, text } = longest;
    let middle = text.length >> 1;
    if ((text.charCodeAt(middle - 1) & 0xfc00) === 0xd800) middle--;
    const short = fields.filter((field) => field.text.length <= SHORT);
    return [
      { ...record, [name]: text.slice(0, middle), partial: true },
      { ...recordOf(short), [name]: text.slice(middle), partial: true },
    ];
  }
  const common = fields.filter(({ name }) => name === 'time' || KEY_FIELDS.includes(name));
  const others = fields.filter((field) => !common.includes(field) && field.name !== 'partial');
  if (others.length < 2) return undefined;
  const half = others.length >> 1;
  return [
    { ...recordOf([...common, ...others.slice(0, half)]), partial: true },
    { ...recordOf([...common, ...others.slice(half)]), partial: true },
  ];
}

function recordOf(fields: readonly { readonly name: string; readonly value: unknown }[]) {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value])) as LogRecord;
}
