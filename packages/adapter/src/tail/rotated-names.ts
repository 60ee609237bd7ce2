import { basename } from 'node:path';

/** The extensions of compressors; such files hold what was read before they were compressed. */
const COMPRESSED = /\.(gz|tgz|bz2|xz|zst|zstd|lz4|lzma|br|zip|z|7z)$/i;
/** Files of editors, copies in progress, and other programs' state. */
const NO_LOG = /(\.(tmp|temp|swp|swx|lock|pid|part|partial|pos|offset|idx|index|db)|~)$/i;
/** The suffix that rotation adds to a name; digits without a mark only if they can be a date. */
const MARK = /^[._-](?=.*(\d|old|prev|bak|orig|rotated|archive))|^\d{6,}/i;
/** The part that rotation adds before an extension: a number, or a date in any order of its parts. */
const DATED = /^[._-]W?\d[\dTZW:._-]*$|^\d{6,}[\dTZ:._-]*$/;
const MONTH = '(?:0[1-9]|1[0-2])';
const DAY = '(?:0[1-9]|[12]\\d|3[01])';
/** A year, month and day, in this order or the other, or seconds since the epoch. */
const DATE = new RegExp(
  [
    `(?<!\\d)\\d{4}[-._]?${MONTH}[-._]?${DAY}`,
    `(?<!\\d)${DAY}[-._]${MONTH}[-._]\\d{4}`,
    `(?<!\\d)${MONTH}[-._]${DAY}[-._]\\d{4}`,
    `(?<!\\d)\\d\\d${MONTH}${DAY}(?!\\d)`,
    '(?<!\\d)\\d{10}(?!\\d)',
  ].join('|'),
);

/** Whether a name says that the file is compressed or not a log. */
export function isLeftOut(name: string): boolean {
  return COMPRESSED.test(name) || NO_LOG.test(name);
}

/** Returns a name without the extension of a compressor; undefined if it has none. */
export function uncompressedName(name: string): string | undefined {
  const plain = name.replace(COMPRESSED, '');
  return plain === name ? undefined : plain;
}

/** Whether the name of a file carries a date, as opposed to a number that may be a program's. */
export function hasDate(path: string): boolean {
  return DATE.test(basename(path));
}

/** Whether what rotation adds to a live name may start at an index of `name`. */
export function mayBeAdded(name: string, index: number): boolean {
  if ('._-'.includes(name[index]!)) return true;
  return isDigit(name, index) && !isDigit(name, index - 1);
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0x30 && code <= 0x39;
}

/**
 * Whether rotation turns the live name `base` into `name`: `app.log.1`,
 * `app.log-20261121`, `app.log20261121`, `app.log.old` (logrotate, kubelet, newsyslog).
 */
export function isRotatedName(name: string, base: string): boolean {
  if (name.length <= base.length || !name.startsWith(base) || isLeftOut(name)) return false;
  return MARK.test(name.slice(base.length));
}

/**
 * Whether `name` carries a date or number before the extension of `base`: `app-2026-11-21.log`,
 * `app_21.11.2026.log`, `app.1.log` (logrotate's extension, log4j, logback, winston). Such a name may also be another program's live log.
 */
export function isDatedName(name: string, base: string): boolean {
  const dot = base.lastIndexOf('.');
  const stem = dot > 0 ? base.slice(0, dot) : base;
  const extension = dot > 0 ? base.slice(dot) : '';
  if (name === base || extension === '' || isLeftOut(name)) return false;
  if (!name.startsWith(stem) || !name.endsWith(extension)) return false;
  return DATED.test(name.slice(stem.length, name.length - extension.length));
}

/** The first bytes of gzip, bzip2, xz, zstd, lz4 and zip files. */
const MAGIC = ['1f8b08', '425a68', 'fd377a585a00', '28b52ffd', '04224d18', '504b0304'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** Whether a file starts with the magic bytes of a compressor. */
export function isCompressed(head: Buffer): boolean {
  return MAGIC.some((magic) => head.subarray(0, magic.length).equals(magic));
}
