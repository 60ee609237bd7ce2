import type { LogRecord } from '../parse/parser.ts';
import { KEY_FIELDS } from './record-key.ts';

/** Shorter values, in UTF-16 units, are in all parts: levels, names, and what becomes a label. */
const SHORT = 256;

/**
 * Splits a record that is too large for an output: its longest text, or the JSON of its longest
 * value, or else its fields. All parts have the key and the time, and those of a long text the
 * short fields.
 * @returns `count` parts, or fewer; the record if nothing is left to split.
 */
export function partsOf(record: LogRecord, count: number): LogRecord[] {
  const fields = Object.entries(record).map(([name, value]) => ({
    ...{ name, value },
    text: typeof value === 'string' ? value : (JSON.stringify(value) ?? ''),
  }));
  const longest = fields.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  const { name, text } = longest;
  if (text.length > SHORT) {
    const short = recordOf(fields.filter((field) => field.text.length <= SHORT));
    return pieces(text, count).map((piece, i) => ({
      ...(i === 0 ? record : short),
      [name]: piece,
      partial: true,
    }));
  }
  const isCommon = (one: string) => ['time', 'partial', ...KEY_FIELDS].includes(one);
  const common = fields.filter((field) => isCommon(field.name));
  const others = fields.filter((field) => !isCommon(field.name));
  const step = Math.max(1, Math.ceil(others.length / count));
  if (step >= others.length) return [record];
  return Array.from({ length: Math.ceil(others.length / step) }, (_, i) => ({
    ...recordOf([...common, ...others.slice(i * step, (i + 1) * step)]),
    partial: true,
  }));
}

function pieces(text: string, count: number): string[] {
  const step = Math.ceil(text.length / count);
  const all: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = at + step;
    // Do not split a character of two units.
    if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
    all.push(text.slice(at, end));
    at = end;
  }
  return all;
}

function recordOf(fields: readonly { readonly name: string; readonly value: unknown }[]) {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value])) as LogRecord;
}
