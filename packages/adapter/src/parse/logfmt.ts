import { type LogRecord, type Parser, setField } from './parser.ts';
import { scalar } from './regex.ts';

/**
 * Parses logfmt as Go's libraries write it: `key=value key="quoted \"value\"" flag`. A key
 * without a value is true. Quoted values stay text.
 */
export const parseLogfmt: Parser = (line) => {
  const record: LogRecord = {};
  let pairs = 0;
  let i = 0;
  while (i < line.length) {
    if (line.charCodeAt(i) <= 0x20) {
      i++;
      continue;
    }
    const start = i;
    while (i < line.length && line.charCodeAt(i) > 0x20 && line[i] !== '=' && line[i] !== '"') i++;
    const key = line.slice(start, i);
    if (key === '') return `has no key before ${JSON.stringify(line.slice(i, i + 16))}`;
    if (line[i] !== '=') {
      if (line[i] === '"') return 'has a quote inside a key';
      setField(record, key, true);
      continue;
    }
    pairs++;
    i++;
    if (line[i] !== '"') {
      const from = i;
      while (i < line.length && line.charCodeAt(i) > 0x20) i++;
      setField(record, key, scalar(line.slice(from, i)));
      continue;
    }
    const end = closingQuote(line, i + 1);
    if (end === -1) return 'has a quote that does not end';
    setField(record, key, unquoted(line.slice(i, end + 1)));
    i = end + 1;
  }
  return pairs > 0 ? record : 'has no key=value pair';
};

function closingQuote(line: string, from: number): number {
  for (let i = from; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line[i] === '"') return i;
  }
  return -1;
}

/** Removes quotes and escapes; Go's strconv.Quote writes more of them than JSON: \x00, \a, \v. */
function unquoted(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted
      .slice(1, -1)
      .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/gs, (_, x, u, one) =>
        one === undefined
          ? String.fromCharCode(Number.parseInt(x ?? u, 16))
          : (ESCAPES[one] ?? one),
      );
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
};
