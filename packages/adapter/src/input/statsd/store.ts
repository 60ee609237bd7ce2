import type { Gauge, Histogram, MetricType, Registry } from '@sidekit/core';
import { type DropCause, type Kind, type Line, parseLine, parseValue } from './line.ts';
import type { Mapping } from './mapping.ts';
import { type MemberRoom, Members } from './members.ts';
import { labelsOf, metricName } from './names.ts';

export interface StoreOptions {
  /** The largest number of time series; a histogram has one for each bucket, and 3. */
  readonly series: number;
  /** Upper bounds of the buckets of timers (in seconds), histograms and distributions. */
  readonly buckets: readonly number[];
  /** Series that were not updated for so long are forgotten, in milliseconds; 0: never. */
  readonly expiry: number;
  /** Gives metrics other names and labels, or drops them. */
  readonly mapping?: Mapping;
  readonly now: () => number;
  readonly onDrop: (cause: DropCause) => void;
}

/** A metric with all its label sets. */
interface Metric {
  readonly kind: Kind;
  /** The number of time series of a label set. */
  readonly cost: number;
  /** Adds a label set; `take` adds one value to it. */
  readonly add: (labels: Labels) => Pick<Series, 'take' | 'members'>;
  readonly remove: (labels: Labels) => void;
  size: number;
}

interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly take: (value: number, text: string, line: Line) => void;
  readonly members?: { readonly all: Members; readonly count: Gauge };
  updated: number;
}

/** A line that was parsed before, of which only the value differs. */
interface Known {
  readonly series: Series | 'mapping';
  readonly line: Line;
}

type Labels = Readonly<Record<string, string>>;

/** A longer value is parsed with its line. */
const USUAL = 32;

const TYPES: Readonly<Record<Kind, MetricType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  set: 'gauge',
};

/** A full store is checked for series to forget at most so often, in milliseconds. */
const SWEEP_INTERVAL = 1000;

/** The largest number of members of all sets together. */
const MEMBERS = 20_000;

/** Turns StatsD lines into metrics of the registry, within a cap on their series. */
export class StatsdStore {
  readonly #registry: Registry;
  readonly #options: StoreOptions;
  readonly #metrics = new Map<string, Metric>();
  /** By kind, name and labels. */
  readonly #series = new Map<string, Series>();
  /** By what follows the value and by name, as they are sent, so that most lines are not parsed. */
  readonly #known = new Map<string, Map<string, Known>>();
  #knownSize = 0;
  readonly #room: MemberRoom = { left: MEMBERS };
  #size = 0;
  #swept = Number.NEGATIVE_INFINITY;

  constructor(registry: Registry, options: StoreOptions) {
    this.#registry = registry;
    this.#options = options;
  }

  /** The number of time series. */
  get size(): number {
    return this.#size;
  }

  /** Whether another label set of any kind fits, and another member of a set. */
  get hasRoom(): boolean {
    return (
      this.#size + costOf('histogram', this.#options.buckets) <= this.#options.series &&
      this.#room.left > 0
    );
  }

  /** Takes all lines of a datagram; what is wrong with one does not affect another. */
  datagram(text: string): void {
    for (const line of text.split('\n')) {
      const trimmed = withoutEnd(line);
      if (trimmed !== '') this.#line(trimmed);
    }
  }

  /** Forgets series that were not updated for the time of expiry, and old members of sets. */
  sweep(): void {
    const { now, expiry } = this.#options;
    this.#swept = now();
    for (const [key, one] of this.#series) {
      if (expiry > 0 && this.#swept - one.updated >= expiry) this.#forget(key, one);
      else one.members?.count.set(one.members.all.count(this.#swept));
    }
  }

  #line(text: string): void {
    const colon = text.indexOf(':');
    const bar = text.indexOf('|', colon);
    const known = this.#known.get(text.slice(bar))?.get(text.slice(0, colon));
    if (known) {
      const value = text.slice(colon + 1, bar);
      if (value.length <= USUAL && value !== '' && !value.includes(':')) {
        this.#value(value, known.line, known.series);
        return;
      }
    }
    const line = parseLine(text);
    if (typeof line === 'string') {
      this.#options.onDrop(line);
      return;
    }
    let series: Known['series'] | undefined;
    for (const value of line.values) series = this.#value(value, line, series) ?? series;
    if (series && !known) this.#remember(text.slice(bar), { series, line });
  }

  /** Adds one value to its series, which is found or added if it is not known, and returns that. */
  #value(text: string, line: Line, known: Known['series'] | undefined) {
    const { onDrop, now } = this.#options;
    const value = line.kind === 'set' ? 1 : parseValue(text, line);
    const series = typeof value === 'string' ? value : (known ?? this.#mapped(line));
    if (typeof series === 'string') {
      onDrop(series);
      return series === 'mapping' ? series : undefined;
    }
    series.updated = now();
    series.take(value as number, text, line);
    return series;
  }

  #remember(rest: string, { series, line }: Known): void {
    if (this.#knownSize++ >= this.#options.series) this.#forgetKnown();
    const key = detached(rest);
    const names = this.#known.get(key) ?? new Map<string, Known>();
    this.#known.set(key, names);
    names.set(detached(line.name), { series, line: { ...line, name: '', tags: '', values: [] } });
  }

  #forgetKnown(): void {
    this.#known.clear();
    this.#knownSize = 0;
  }

  /** Finds or adds the series to which the mapping leads a line. */
  #mapped({ name: sent, tags, kind }: Line): Series | DropCause {
    const mapped = this.#options.mapping?.(sent, kind);
    if (mapped === 'drop') return 'mapping';
    const name = metricName(detached(mapped?.name ?? sent));
    const labels = labelsOf(detached(tags), mapped?.labels);
    const key = `${kind} ${name} ${JSON.stringify(labels)}`;
    return this.#series.get(key) ?? this.#newSeries(key, name, labels, kind, mapped?.buckets);
  }

  #newSeries(
    key: string,
    name: string,
    labels: Labels,
    kind: Kind,
    buckets: readonly number[] = this.#options.buckets,
  ): Series | DropCause {
    let metric = this.#metrics.get(name);
    if (metric ? metric.kind !== kind : !this.#registry.isFree(name, TYPES[kind])) {
      return 'conflict';
    }
    const cost = metric?.cost ?? costOf(kind, buckets);
    if (this.#size + cost > this.#options.series) {
      if (this.#options.now() - this.#swept >= SWEEP_INTERVAL) this.sweep();
      if (this.#size + cost > this.#options.series) return 'series_limit';
      metric = this.#metrics.get(name);
    }
    if (!metric) {
      metric = this.#newMetric(name, kind, buckets);
      this.#metrics.set(name, metric);
    }
    metric.size++;
    this.#size += cost;
    const series = { name, labels, ...metric.add(labels), updated: this.#options.now() };
    this.#series.set(key, series);
    return series;
  }

  #newMetric(name: string, kind: Kind, buckets: readonly number[]): Metric {
    const cost = costOf(kind, buckets);
    const words = { name, help: `Sent over StatsD as ${kind}.` };
    if (kind === 'counter') {
      const family = this.#registry.counters(words);
      return metricOf({ kind, cost }, family.remove, (labels) => {
        const counter = family.with(labels);
        return { take: (value, _text, { rate }) => counter.inc(value / rate) };
      });
    }
    if (kind === 'histogram') {
      const family = this.#registry.histograms({ ...words, buckets });
      return metricOf({ kind, cost }, family.remove, (labels) => {
        return { take: observer(family.with(labels)) };
      });
    }
    const family = this.#registry.gauges(words);
    return metricOf({ kind, cost }, family.remove, (labels) => {
      const gauge = family.with(labels);
      if (kind === 'gauge') {
        // A sign means a change; a negative value is set by setting 0 first.
        const take = (value: number, text: string) =>
          /^[+-]/.test(text) ? gauge.inc(value) : gauge.set(value);
        return { take };
      }
      const all = new Members(this.#room);
      const take = (_value: number, text: string) => {
        const { now, onDrop } = this.#options;
        if (!all.add(detached(text), now())) onDrop('set_limit');
      };
      return { take, members: { all, count: gauge } };
    });
  }

  #forget(key: string, { name, labels, members }: Series): void {
    const metric = this.#metrics.get(name)!;
    this.#series.delete(key);
    this.#forgetKnown();
    this.#size -= metric.cost;
    members?.all.clear();
    metric.remove(labels);
    if (--metric.size > 0) return;
    this.#metrics.delete(name);
    this.#registry.remove(name);
  }
}

function costOf(kind: Kind, buckets: readonly number[]): number {
  return kind === 'histogram' ? buckets.length + 3 : 1;
}

function metricOf(
  facts: Pick<Metric, 'kind' | 'cost'>,
  remove: Metric['remove'],
  add: Metric['add'],
): Metric {
  return { ...facts, remove, add, size: 0 };
}

/**
 * Observes a value for each event that it stands for at its sample rate. Counts are whole
 * numbers: what is left of an event is added to the next.
 */
function observer(histogram: Histogram): Series['take'] {
  let left = 0;
  return (value, _text, { rate, timed }) => {
    const events = 1 / rate + left;
    const whole = Math.floor(events);
    left = events - whole;
    histogram.observe(timed ? value / 1000 : value, whole);
  };
}

/** Returns a line without a carriage return and the NUL of a string in C at its end. */
function withoutEnd(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.endsWith('\0') ? text.slice(0, -1) : text;
}

/** Copies a text: V8's slice of a datagram would keep all of it in memory. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
