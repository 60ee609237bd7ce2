import type { Body } from './body.ts';
import type { Encoding, Outgoing } from './encoding.ts';
import { INT64_MAX, nanoseconds } from './nanoseconds.ts';

/** The label of the file, as Promtail and Alloy name it. */
const FILE_LABEL = 'filename';
/** The value of a label whose field has too many values. */
const OVERFLOW = '__other__';
/** The largest number of values of one label from a field. */
const MOST_VALUES = 100;
/** The longest value of a label, in UTF-16 units. */
const LONGEST_VALUE = 256;
/** Loki's default `max_line_size`, in bytes. */
const LONGEST_LINE = 256 * 1024;
const BACKSLASH = 0x5c;
const TAB = 0x09;
const LF = 0x0a;

export interface LokiLabels {
  readonly labels: Readonly<Record<string, string>>;
  /** Label names to the fields that hold their values. */
  readonly labelFields: Readonly<Record<string, string>>;
}

export interface LokiOptions extends LokiLabels {
  /** The largest line that is read, in bytes: the receiver is meant to take as much. */
  readonly maxLine: number;
}

/**
 * Entries of Loki streams: the labels as a JSON object, a tab, and `["<ns>","<line>"]`. Each file
 * has a stream of its own, since Loki refuses entries that are too far behind in their stream.
 */
export function lokiEntries({ labels, labelFields, maxLine }: LokiOptions): Encoding {
  const longest = Math.max(LONGEST_LINE, maxLine);
  const fields = Object.entries(labelFields).map(([label, field]) => ({
    label,
    field,
    seen: new Set<string>(),
  }));
  const labelsOf = ({ record, source }: Outgoing): string => {
    const set: Record<string, string> = { ...labels };
    if (source.log !== '') set[FILE_LABEL] ??= source.log.toWellFormed().slice(-LONGEST_VALUE);
    for (const { label, field, seen } of fields) {
      const value = record[field];
      if (value === undefined || value === null || value === '' || typeof value === 'object') {
        continue;
      }
      const text = String(value).slice(0, LONGEST_VALUE).toWellFormed();
      if (!seen.has(text) && seen.size < MOST_VALUES) seen.add(text);
      set[label] = seen.has(text) ? text : OVERFLOW;
    }
    // Loki refuses a stream without labels.
    if (Object.keys(set).length === 0) set.job = 'adapter';
    return JSON.stringify(set);
  };
  return {
    name: 'loki',
    overhead: 4096,
    write: (outgoing, now, out) => {
      const time = nanoseconds(outgoing.record.time, INT64_MAX) ?? `${now}000000`;
      out.text(`${labelsOf(outgoing)}\t["${time}",`, outgoing.record, ']');
    },
    parts: (bytes, start, end) => {
      if (end - start <= longest) return 1;
      const length = lineLength(bytes, start, end);
      // The fields that all parts have need some room.
      return length <= longest ? 1 : Math.ceil(length / (longest * 0.9));
    },
  };
}

/** Returns the bytes of an entry's line, which is JSON as a string in JSON. */
function lineLength(bytes: Buffer, start: number, end: number): number {
  const line = bytes.indexOf('","', bytes.indexOf(TAB, start)) + 3;
  let length = end - 2 - line;
  for (let i = line; i < end; i++) {
    if (bytes[i] !== BACKSLASH) continue;
    length--;
    i++;
  }
  return length;
}

/** Groups entries by their labels into the body of a push request. */
export function lokiBody(lines: Buffer, body: Body): Buffer {
  const streams = new Map<string, Buffer[]>();
  let size = 64;
  for (let start = 0; start < lines.length; ) {
    const tab = lines.indexOf(TAB, start);
    const end = lines.indexOf(LF, tab) + 1;
    const labels = lines.toString('utf8', start, tab);
    const entry = lines.subarray(tab + 1, end);
    const entries = streams.get(labels);
    if (entries) entries.push(entry);
    else {
      streams.set(labels, [entry]);
      size += labels.length * 3 + 64;
    }
    size += entry.length;
    start = end;
  }
  body.start(size).text('{"streams":[');
  let first = true;
  for (const [labels, entries] of streams) {
    body.text(`${first ? '' : ','}{"stream":${labels},"values":[`);
    entries.forEach((entry, i) => {
      body.text(i === 0 ? '' : ',').bytes(entry.subarray(0, -1));
    });
    body.text(']}');
    first = false;
  }
  return body.text(']}').done();
}
