/**
 * Prometheus metrics, in the text format 0.0.4 or as OpenMetrics 1.0. A label set is resolved once to a handle
 * whose `inc` or `observe` allocates nothing, so that handles can sit on hot paths.
 */

/** The text format of Prometheus 0.0.4, or OpenMetrics 1.0. */
export type MetricsFormat = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * Chooses the format by an Accept header (RFC 9110 §12.5.1): OpenMetrics if it is named and not
 * less wanted than plain text.
 */
export function negotiateFormat(accept = ''): MetricsFormat {
  const quality = (type: string) => {
    const range = accept
      .split(',')
      .map((one) => one.trim().toLowerCase())
      .find((one) => one.split(';', 1)[0]?.trim() === type);
    if (range === undefined) return 0;
    return Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1);
  };
  const open = quality('application/openmetrics-text');
  return open > 0 && open >= quality('text/plain') ? 'openmetrics' : 'prometheus';
}

type Labels = Readonly<Record<string, string>>;

export interface Counter {
  inc(by?: number): void;
  readonly value: number;
}
export interface Gauge extends Counter {
  dec(by?: number): void;
  set(value: number): void;
}
export interface Histogram {
  /** Adds a value as often as `count` says, a whole number above 0; once by default. */
  observe(value: number, count?: number): void;
}
/**
 * A metric with labels: `with` returns the handle of one label set, always the same one.
 * Labels are written in one order everywhere; another order would be another label set.
 */
export interface Family<H> {
  with(labels: Labels): H;
  /** Forgets one label set, such as that of a file that is gone. */
  remove(labels: Labels): void;
  /** The number of label sets. */
  readonly size: number;
}

interface Words {
  readonly name: string;
  readonly help: string;
}

/** The types of metrics, as TYPE lines name them. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** The buckets of OpenTelemetry's semantic conventions for HTTP durations, in seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

export class Registry {
  readonly #metrics = new Map<string, (format: MetricsFormat) => string>();
  /** How many metrics use each name of a family or series. */
  readonly #names = new Map<string, number>();
  readonly #types = new Map<string, MetricType>();

  /**
   * Whether a metric can be registered without sharing the name of a family or series with
   * another: for names that come from outside. A receiver refuses a whole scrape for one clash.
   */
  isFree(name: string, type: MetricType): boolean {
    return namesOf(name, type).every((one) => !this.#names.has(one));
  }

  /** Forgets a metric with all its label sets; its name is free again. */
  remove(name: string): void {
    const type = this.#types.get(name);
    if (type === undefined) return;
    this.#metrics.delete(name);
    this.#types.delete(name);
    for (const one of namesOf(name, type)) {
      const others = this.#names.get(one)! - 1;
      if (others === 0) this.#names.delete(one);
      else this.#names.set(one, others);
    }
  }

  /** `collect`, where given, is called at each scrape and returns the total so far. */
  counter(words: Words & { readonly collect?: () => number }): Counter {
    const { collect } = words;
    const value = new Value();
    return this.#family(
      words,
      'counter',
      () => value,
      collect && (() => value.set(collect())),
    ).with({});
  }

  counters(words: Words): Family<Counter> {
    return this.#family(words, 'counter', () => new Value());
  }

  /** `collect`, where given, is called at each scrape to set the value. */
  gauge(words: Words & { readonly collect?: (gauge: Gauge) => void }): Gauge {
    const collect = words.collect;
    const family: Family<Gauge> = this.#family<Value>(
      words,
      'gauge',
      () => new Value(),
      collect && (() => collect(gauge)),
    );
    const gauge: Gauge = family.with({});
    return gauge;
  }

  gauges(words: Words & { readonly collect?: (family: Family<Gauge>) => void }): Family<Gauge> {
    const collect = words.collect;
    const family: Family<Gauge> = this.#family(
      words,
      'gauge',
      () => new Value(),
      collect && (() => collect(family)),
    );
    return family;
  }

  histogram(words: Words & { readonly buckets?: readonly number[] }): Histogram {
    return this.histograms(words).with({});
  }

  histograms(words: Words & { readonly buckets?: readonly number[] }): Family<Histogram> {
    const buckets = words.buckets ?? DURATION_BUCKETS;
    if (buckets.some((bound, i) => i > 0 && !(bound > buckets[i - 1]!))) {
      throw new Error(`the buckets of ${words.name} must ascend`);
    }
    return this.#family(words, 'histogram', () => new Distribution(buckets));
  }

  /** Writes all metrics; the type of the text is that of `CONTENT_TYPES`. */
  render(format: MetricsFormat = 'prometheus'): string {
    let text = '';
    for (const render of this.#metrics.values()) text += render(format);
    return format === 'openmetrics' ? `${text}# EOF\n` : text;
  }

  #family<H extends Sample>(
    { name, help }: Words,
    type: MetricType,
    make: () => H,
    collect?: (() => void) | undefined,
  ): Family<H> {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new Error(`bad metric name ${name}`);
    if (this.#metrics.has(name)) throw new Error(`metric ${name} is already registered`);
    const samples = new Map<string, H>();
    this.#types.set(name, type);
    for (const one of namesOf(name, type)) this.#names.set(one, (this.#names.get(one) ?? 0) + 1);
    const heads = { prometheus: head(name, help, type), openmetrics: openHead(name, help, type) };
    this.#metrics.set(name, (format) => {
      collect?.();
      let text = heads[format];
      for (const [labels, sample] of samples) text += sample.render(name, labels, format);
      return text;
    });
    return {
      with: (labels) => {
        const key = labelText(labels);
        let sample = samples.get(key);
        if (!sample) {
          const bad = Object.keys(labels).find((label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label));
          if (bad !== undefined) throw new Error(`bad label name ${bad} of ${name}`);
          sample = make();
          samples.set(key, sample);
        }
        return sample;
      },
      remove: (labels) => void samples.delete(labelText(labels)),
      get size() {
        return samples.size;
      },
    };
  }
}

function head(name: string, help: string, type: string): string {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`;
}

/** The names of the family and of its series, in both formats. */
function namesOf(name: string, type: MetricType): string[] {
  if (type === 'histogram') return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
  const isTotal = type === 'counter' && name.endsWith('_total');
  return isTotal ? [name, name.slice(0, -'_total'.length)] : [name];
}

/**
 * OpenMetrics names a counter without its `_total`, knows no counter without one, and escapes
 * quotes.
 */
function openHead(name: string, help: string, type: string): string {
  const counter = type === 'counter';
  const named = counter && name.endsWith('_total');
  const text = head(
    named ? name.slice(0, -'_total'.length) : name,
    help,
    counter && !named ? 'unknown' : type,
  );
  return text.replaceAll('"', '\\"');
}

interface Sample {
  render(name: string, labels: string, format: MetricsFormat): string;
}

class Value implements Gauge, Sample {
  value = 0;
  inc(by = 1) {
    this.value += by;
  }
  dec(by = 1) {
    this.value -= by;
  }
  set(value: number) {
    this.value = value;
  }
  render(name: string, labels: string) {
    return `${name}${labels && `{${labels}}`} ${numberText(this.value)}\n`;
  }
}

class Distribution implements Histogram, Sample {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number, count = 1) {
    const bounds = this.#bounds;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    this.#counts[i]! += count;
    this.#sum += value * count;
  }

  render(name: string, labels: string, format: MetricsFormat) {
    const own = labels && `${labels},`;
    let text = '';
    let total = 0;
    for (let i = 0; i <= this.#bounds.length; i++) {
      total += this.#counts[i]!;
      const bound = i < this.#bounds.length ? boundText(this.#bounds[i]!, format) : '+Inf';
      text += `${name}_bucket{${own}le="${bound}"} ${total}\n`;
    }
    const braces = labels && `{${labels}}`;
    return `${text}${name}_sum${braces} ${numberText(this.#sum)}\n${name}_count${braces} ${total}\n`;
  }
}

function labelText(labels: Labels): string {
  let text = '';
  for (const name in labels) {
    const value = labels[name]!;
    const escaped = /[\\"\n]/.test(value)
      ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
      : value;
    text += `${text && ','}${name}="${escaped}"`;
  }
  return text;
}

/** OpenMetrics writes the bounds of buckets as floating-point numbers: `1.0`. */
function boundText(bound: number, format: MetricsFormat): string {
  const text = numberText(bound);
  return format === 'openmetrics' && /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
