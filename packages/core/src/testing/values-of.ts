import { type Fault, UsageError } from '../errors.ts';
import { object } from '../options/composites.ts';
import type { OptionMap, OptionTable, OptionValues } from '../options/table.ts';
import { readValue } from '../options/type.ts';

/**
 * Reads options from the data of a configuration file alone, for tests of what uses them.
 * @throws {UsageError} with every fault.
 */
export function valuesOf<F extends OptionMap>(
  table: OptionTable<F>,
  data: Readonly<Record<string, unknown>>,
): OptionValues<F> {
  const faults: Fault[] = [];
  const report = (fault: Fault) => void faults.push(fault);
  const values = readValue(object(table.options), data, 'configuration', report);
  if (values) {
    table.checkParts?.(values, data, report);
    table.check?.(values, [], report);
  }
  if (!values || faults.length > 0) throw new UsageError(faults);
  return values;
}
