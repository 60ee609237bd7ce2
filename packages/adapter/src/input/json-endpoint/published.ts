import type { Counter, Family, Gauge, Registry } from '@sidekit/core';
import type { JsonMetricSpec, Sample } from './samples.ts';

interface Published {
  readonly labels: Sample['labels'];
  readonly set: (value: number) => void;
  readonly remove: () => void;
}

/** The samples of one endpoint in the registry: each poll replaces those of the one before. */
export class PublishedSamples {
  readonly #families = new Map<string, (labels: Sample['labels']) => Published>();
  #published = new Map<string, Published>();

  /** Registers the metrics, of which several may have one name and type. */
  constructor(registry: Registry, specs: readonly JsonMetricSpec[]) {
    for (const { name, type, help } of specs) {
      if (this.#families.has(name)) continue;
      const words = { name, help: help || 'From a JSON endpoint.' };
      this.#families.set(
        name,
        type === 'gauge' ? gaugesOf(registry.gauges(words)) : countersOf(registry.counters(words)),
      );
    }
  }

  get size(): number {
    return this.#published.size;
  }

  /** Publishes these samples, whose labels differ, and forgets all others. */
  replace(samples: ReadonlyMap<string, Sample>): void {
    const next = new Map<string, Published>();
    for (const [key, { name, labels, value }] of samples) {
      const published = this.#published.get(key) ?? this.#families.get(name)!(labels);
      published.set(value);
      next.set(key, published);
    }
    for (const [key, { remove }] of this.#published) if (!next.has(key)) remove();
    this.#published = next;
  }
}

function gaugesOf(family: Family<Gauge>) {
  return (labels: Sample['labels']): Published => {
    const gauge = family.with(labels);
    return { labels, set: (value) => gauge.set(value), remove: () => family.remove(labels) };
  };
}

/** A counter of the endpoint is absolute; one that went down was reset. */
function countersOf(family: Family<Counter>) {
  return (labels: Sample['labels']): Published => {
    let counter = family.with(labels);
    let last = 0;
    const set = (value: number) => {
      if (value < last) {
        family.remove(labels);
        counter = family.with(labels);
        last = 0;
      }
      counter.inc(value - last);
      last = value;
    };
    return { labels, set, remove: () => family.remove(labels) };
  };
}
