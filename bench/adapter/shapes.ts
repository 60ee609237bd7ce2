import { combinedLine, jsonLine } from './generate.ts';

/** Lines of one kind, and how the adapter converts them. */
export interface Shape {
  readonly name: string;
  readonly format: 'combined' | 'json';
  readonly line: (random: () => number, i: number) => string;
  /** Options of the adapter beyond reading and writing. */
  readonly flags?: readonly string[];
  /** Fields that every record has in the end. */
  readonly fields: readonly string[];
}

const MONTHS = ['Sep', 'Oct', 'Nov', 'Dec'] as const;
const ACCESS = ['time', 'path', 'status'];
const TIME = /\[[^\]]*\]/;

/** A combined line with another time: every line is a second after the one before. */
function newSecond(random: () => number, i: number): string {
  return combinedLine(random, i).replace(TIME, `[${accessTime(i)}]`);
}

function accessTime(second: number): string {
  const at = new Date(Date.UTC(2026, 8, 1) + (second % 10_000_000) * 1000);
  const [date = '', time = ''] = at.toISOString().slice(0, 19).split('T');
  return `${date.slice(8)}/${MONTHS[at.getUTCMonth() - 8]}/${date.slice(0, 4)}:${time} +0000`;
}

/** A combined line whose agent and referer are others in every line. */
function varied(random: () => number, i: number): string {
  const version = `${Math.floor(random() * 200)}.${Math.floor(random() * 10_000)}`;
  return newSecond(random, i)
    .replace('Chrome/126.0', `Chrome/${version}`)
    .replace('"-"', `"https://example.com/${Math.floor(random() * 1e9)}"`);
}

/** A JSON line with an RFC 3339 time in milliseconds, and fields of other types. */
function milliseconds(random: () => number, i: number): string {
  const time = new Date(1_795_000_000_000 + i * 37).toISOString();
  return jsonLine(random, i).replace(/"time":\d+/, `"time":"${time}"`);
}

/** A JSON line of which no two fields are alike, with escapes and text beyond ASCII. */
function variedJson(random: () => number, i: number): string {
  const user = `${String.fromCodePoint(0xe0 + (i % 20))}user${Math.floor(random() * 1e6)}`;
  return milliseconds(random, i).replace(
    '"msg":"request completed"',
    `"user":"${user}","trace":"${Math.floor(random() * 2 ** 40).toString(16)}","msg":"got \\"${i}\\"\\n"`,
  );
}

const REWRITE = [
  ...['--rename', 'hostname=host', '--rename', 'responseTime=took', '--drop', 'pid'],
  ...['--redact-fields', 'remoteAddress', '--add', 'env=prod'],
];

export const SHAPES: readonly Shape[] = [
  {
    name: 'combined, 1,000 lines a second',
    format: 'combined',
    line: combinedLine,
    fields: ACCESS,
  },
  {
    name: 'combined, a new time in every line',
    format: 'combined',
    line: newSecond,
    fields: ACCESS,
  },
  { name: 'combined, varied fields too', format: 'combined', line: varied, fields: ACCESS },
  { name: 'JSON, epoch', format: 'json', line: jsonLine, fields: ['time', 'msg'] },
  { name: 'JSON, milliseconds', format: 'json', line: milliseconds, fields: ['time', 'msg'] },
  { name: 'JSON, varied fields too', format: 'json', line: variedJson, fields: ['time', 'msg'] },
  {
    name: 'JSON, renamed and redacted',
    format: 'json',
    line: milliseconds,
    flags: REWRITE,
    fields: ['time', 'host', 'env'],
  },
];
