import { type Counter, DURATION_BUCKETS, type Histogram, type Registry } from '@sidekit/core';
import { type AccessCounts, METHODS } from '../parse/access-fast.ts';
import type { LogRecord } from '../parse/parser.ts';

/** A metric that is counted from records. */
export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'histogram';
  readonly help: string;
  /** The field that is added or observed; a counter without it counts records. */
  readonly field: string | undefined;
  /** Label names to the fields that hold their values. */
  readonly labels: Readonly<Record<string, string>>;
  /** Only records with these values count. */
  readonly match: Readonly<Record<string, string>>;
  readonly buckets: readonly number[] | undefined;
}

/** The value of the labels of records beyond the cap. */
export const OVERFLOW = '__other__';

/** Counts the declared metrics; each has at most `cap` label sets. */
export function declaredMetrics(
  registry: Registry,
  specs: readonly MetricSpec[],
  cap: number,
  onOverflow: () => void,
): (record: LogRecord) => void {
  const observers = specs.map((spec) => declared(registry, spec, cap, onOverflow));
  return (record) => {
    for (const observe of observers) observe(record);
  };
}

function declared(registry: Registry, spec: MetricSpec, cap: number, onOverflow: () => void) {
  const { name, help, field } = spec;
  const labels = Object.entries(spec.labels);
  const matches = Object.entries(spec.match);
  const words = { name, help: help || `From the records of the log.` };
  const add = spec.type === 'counter' ? counting() : observing();
  const seen = new Set<string>();

  function counting() {
    const family = registry.counters(words);
    return (set: Record<string, string>, value: number) => family.with(set).inc(value);
  }
  function observing() {
    const family = registry.histograms({ ...words, buckets: spec.buckets ?? DURATION_BUCKETS });
    return (set: Record<string, string>, value: number) => family.with(set).observe(value);
  }

  return (record: LogRecord) => {
    for (const [key, wanted] of matches) if (textOf(record[key]) !== wanted) return;
    const value = field === undefined ? 1 : numberOf(record[field]);
    // Counters only grow.
    if (value === undefined || (spec.type === 'counter' && value < 0)) return;
    let set: Record<string, string> = {};
    let id = '';
    for (const [label, source] of labels) {
      const text = textOf(record[source]).slice(0, 128);
      set[label] = text;
      id += `${text}\0`;
    }
    if (!seen.has(id)) {
      if (seen.size >= cap) {
        onOverflow();
        set = Object.fromEntries(labels.map(([label]) => [label, OVERFLOW]));
      } else {
        seen.add(id);
      }
    }
    add(set, value);
  };
}

/** Reads a finite number from a number or its text; an empty text is none. */
function numberOf(value: unknown): number | undefined {
  const isText = typeof value === 'string' && value.trim() !== '';
  const number = typeof value === 'number' || isText ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

/** Counts every access log, from records or from the fast parser's tallies. */
export class AccessMetrics {
  readonly #requests: (method: string, status: string) => Counter;
  readonly #bytes: Counter;
  readonly #durations: Histogram;

  constructor(registry: Registry) {
    const requests = registry.counters({
      name: 'log_http_requests_total',
      help: 'Requests in access logs, by method and class of status.',
    });
    this.#requests = (method, status) => requests.with({ method, status });
    this.#bytes = registry.counter({
      name: 'log_http_response_bytes_total',
      help: 'Bytes of response bodies in access logs.',
    });
    this.#durations = registry.histogram({
      name: 'log_http_request_duration_seconds',
      help: 'Durations of requests in access logs that have them.',
    });
  }

  record({ method, status, bytes, duration }: LogRecord): void {
    // A log can contain anything: unknown methods share one label value.
    const known = METHODS.includes(method as string) ? (method as string) : OVERFLOW;
    const kind = typeof status === 'number' ? `${Math.trunc(status / 100)}xx` : OVERFLOW;
    if (status !== undefined) this.#requests(known, kind).inc();
    if (typeof bytes === 'number') this.#bytes.inc(bytes);
    if (typeof duration === 'number') this.#durations.observe(duration);
  }

  /** Takes the fast parser's counts, and adds them if they are `counted`. */
  tally(counts: AccessCounts, counted: boolean): void {
    counts.requests.forEach((count, i) => {
      if (count > 0 && counted) {
        this.#requests(METHODS[Math.trunc(i / 10)]!, `${i % 10}xx`).inc(count);
      }
    });
    if (counted) this.#bytes.inc(counts.bytes);
    counts.reset();
  }
}
