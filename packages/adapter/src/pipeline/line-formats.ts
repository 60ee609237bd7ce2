import { readLine } from '../input/spool/spool-line.ts';
import type { AccessMetrics } from '../observe/log-metrics.ts';
import type { Encoding } from '../output/encoding.ts';
import { type AccessCounts, CERTAIN, FastAccess, POSSIBLE } from '../parse/access-fast.ts';
import type { FastParser } from '../parse/fast.ts';
import { FastJson } from '../parse/json-fast.ts';
import type { MemberEdits } from '../parse/member-edits.ts';
import { nestedParser } from '../parse/nested.ts';
import { ENVELOPES, parserFor } from '../parse/parser-for.ts';
import { compilePattern } from '../parse/regex.ts';
import { FastSyslog, SYSLOG_FIELDS } from '../parse/syslog-fast.ts';
import { type ByteTransform, byteTransform, EditedParser } from '../transform/on-bytes.ts';
import type { TransformOptions } from '../transform/transform.ts';
import { type FormatSettings, isAccessLog } from './format-settings.ts';
import { Joiner } from './joiner.ts';
import type { LineFormat } from './line-format.ts';
import { KEY_FIELDS } from './record-key.ts';

/** The parts of a pipeline on which the formats of its lines depend. */
export interface FormatContext {
  readonly transformation: TransformOptions;
  readonly encoding: Encoding;
  /** Whether an option needs every line as a record. */
  readonly forRecords: boolean;
  readonly access: AccessMetrics | undefined;
}

/** The number of logs whose format is remembered. */
const MOST_KNOWN = 10_000;

/** Creates the formats of a pipeline, and the function that finds that of a log. */
export function lineFormats(
  settings: readonly FormatSettings[],
  context: FormatContext,
): { formatOf: (log: string) => LineFormat; added: string } {
  const created = settings.map((one) => ({ ...lineFormat(one, context), matches: one.matches }));
  const known = new Map<string, LineFormat>();
  const formatOf = (log: string): LineFormat => {
    let format = known.get(log);
    if (!format) {
      format = created.find(({ matches }) => matches(log))!.format;
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(log, format);
    }
    return format;
  };
  // What is added does not depend on the format.
  return { formatOf, added: created.find(({ added }) => added !== '')?.added ?? '' };
}

/** Creates a format, on the faster of its two paths if the options allow it. */
function lineFormat(settings: FormatSettings, context: FormatContext) {
  const { nestedFormat, nestedField } = settings;
  const access = isAccessLog(settings) ? context.access : undefined;
  const joiner = joinerFor(settings);
  const needsText = joiner !== undefined || nestedFormat !== undefined;
  const onBytes = needsText ? undefined : bytesFor(settings, context);
  const { fast, counts } = onBytes ? fastParser(settings, onBytes) : NONE;
  const lineFormat: LineFormat = {
    parse: parserFor(settings),
    received: settings.isSpool ? readLine : undefined,
    nested:
      nestedFormat === undefined
        ? undefined
        : nestedParser(nestedField, parserFor({ ...settings, format: nestedFormat })),
    fast,
    joiner,
    access,
    tally: counts && access ? (counted) => access.tally(counts, counted) : undefined,
  };
  return { format: lineFormat, added: onBytes?.added ?? '' };
}

interface Fast {
  readonly fast?: FastParser;
  readonly counts?: AccessCounts;
}

const NONE: Fast = {};

function fastParser(
  { format, timeFields, zone, isSpool }: FormatSettings,
  { reserved, edits }: ByteTransform,
): Fast {
  const edited = (fast: FastParser) => (edits ? new EditedParser(fast, edits) : fast);
  if (format === 'syslog') return { fast: edited(new FastSyslog(isSpool, zone)) };
  // The lines of a spool hold more than the message.
  if (isSpool) return NONE;
  if (format === 'common' || format === 'combined') {
    const fast = new FastAccess(format);
    return { fast: edited(fast), counts: fast.counts };
  }
  if (format !== 'json') return NONE;
  const names = [...KEY_FIELDS, ...reserved];
  // `time` is written before it is edited.
  if (edits && editsField(edits, 'time')) {
    return { fast: edited(new FastJson(timeFields, names, zone)) };
  }
  return { fast: new FastJson(timeFields, names, zone, edits) };
}

function editsField({ rename, drop, redactFields }: MemberEdits, name: string): boolean {
  return Object.hasOwn(rename, name) || drop.includes(name) || redactFields.includes(name);
}

function joinerFor({ format, multilineStart: start, ...settings }: FormatSettings) {
  const envelope = ENVELOPES[format];
  if (start === undefined && !envelope) return undefined;
  return new Joiner({
    start: start === undefined ? undefined : compilePattern(start),
    envelope,
    maxLines: settings.multilineMaxLines,
    maxSize: Math.max(settings.maxLine, 1024 * 1024),
  });
}

/** Returns the transformation of bytes, if lines need not become records. */
function bytesFor(settings: FormatSettings, context: FormatContext): ByteTransform | undefined {
  const { transformation, encoding, forRecords } = context;
  if (encoding.name !== 'ndjson' || forRecords) return undefined;
  if (settings.format === 'syslog') {
    return byteTransform(transformation, { possible: SYSLOG_FIELDS, certain: [] });
  }
  const isAccess = isAccessLog(settings);
  return byteTransform(transformation, {
    possible: isAccess ? POSSIBLE : [],
    certain: isAccess ? CERTAIN : [],
  });
}
