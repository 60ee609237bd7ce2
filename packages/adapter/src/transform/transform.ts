import type { LogRecord } from '../parse/parser.ts';
import { type RedactOptions, redactor } from './redact.ts';

export interface TransformOptions extends RedactOptions {
  /** Old names to new ones. */
  readonly rename: Readonly<Record<string, string>>;
  readonly drop: readonly string[];
  readonly add: Readonly<Record<string, string>>;
}

/** Renames, drops, redacts and adds fields, in this order; undefined if there is nothing to do. */
export function transformer(options: TransformOptions): ((record: LogRecord) => void) | undefined {
  const renames = Object.entries(options.rename);
  const adds = Object.entries(options.add);
  const redact = redactor(options);
  if (renames.length + options.drop.length + adds.length === 0 && !redact) return undefined;
  return (record) => {
    for (const [from, to] of renames) {
      if (!Object.hasOwn(record, from)) continue;
      const value = record[from];
      delete record[from];
      record[to] = value;
    }
    for (const name of options.drop) delete record[name];
    redact?.(record);
    for (const [name, value] of adds) record[name] = value;
  };
}
