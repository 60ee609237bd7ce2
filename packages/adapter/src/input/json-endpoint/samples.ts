import { printable } from '../statsd/names.ts';
import { type Found, find, isMany, type Path, parsePath } from './path.ts';

/** A metric that is read from a document, as the option declares it. */
export interface JsonMetricSpec {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly path: string;
  readonly value: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One value for the metric of a name. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The reasons for which a value of a document is left out. */
export type DropCause = 'not_found' | 'not_a_number' | 'negative_counter' | 'duplicate' | 'limit';

/** The longest value of a label, in UTF-16 units. */
const LONGEST_LABEL = 256;
/** Stands for the name or index that the last `*` of the path matched. */
export const KEY = '$key';
const TRUTH = /^\s*(?:true|false)\s*$/i;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** Reads the samples of one metric from a document. */
export type Reader = (document: unknown, take: (sample: Sample) => void) => void;

/** Creates the function that reads a metric; its paths are valid. */
export function sampleReader(spec: JsonMetricSpec, onDrop: (cause: DropCause) => void): Reader {
  const path = parsePath(spec.path) ?? [];
  const readValue = valueReader(spec.value);
  const labels = Object.entries(spec.labels).map(
    ([name, source]) => [name, labelReader(source)] as const,
  );
  return (document, take) => {
    let found = 0;
    for (const one of find(document, path)) {
      found++;
      const value = numberOf(readValue(one));
      if (value === undefined) onDrop('not_a_number');
      else if (spec.type === 'counter' && value < 0) onDrop('negative_counter');
      else {
        const set = labels.map(([name, read]) => [name, read(one)] as const);
        take({ name: spec.name, labels: Object.fromEntries(set.filter(hasText)), value });
      }
    }
    if (found === 0 && !isMany(path)) onDrop('not_found');
  };
}

/** Whether the text of a label or value refers to the document. */
export function isPath(text: string): boolean {
  return text.startsWith('.') || text.startsWith('[');
}

function valueReader(text: string): (found: Found) => unknown {
  if (!isPath(text)) return () => Number(text);
  const path = parsePath(text) ?? [];
  return ({ value }) => first(value, path);
}

function labelReader(text: string): (found: Found) => string {
  if (text === KEY) return ({ key }) => labelText(key);
  if (!isPath(text)) return () => labelText(text);
  const path = parsePath(text) ?? [];
  return ({ value }) => labelText(first(value, path));
}

function first(value: unknown, path: Path): unknown {
  for (const found of find(value, path)) return found.value;
  return undefined;
}

/** Returns a bounded text without control characters; objects, lists and null are no labels. */
function labelText(value: unknown): string {
  if (value === undefined || value === null || typeof value === 'object') return '';
  return printable(String(value).slice(0, LONGEST_LABEL).toWellFormed());
}

function hasText([, text]: readonly [string, string]): boolean {
  return text !== '';
}

/** Reads a finite number from a number, a truth value, or the text of one, as json_exporter does. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string' && TRUTH.test(value)) return /true/i.test(value) ? 1 : 0;
  if (typeof value === 'string' && !NUMBER.test(value)) return undefined;
  const number =
    typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}
