import { resolve } from 'node:path';
import { ExpectedError, errorText, type OptionValues, type Registry } from '@sidekit/core';
import type { receiveOptions } from '../../options/receive.ts';
import { Spool, type SpoolOptions } from './spool.ts';

/** The inputs whose messages are kept in a spool each. */
export type ReceivedInput = 'syslog' | 'json';

type Parts = Omit<SpoolOptions, 'name' | 'limit'> & { readonly registry: Registry };

/**
 * Opens the spools of the inputs that are listened for.
 * @throws {ExpectedError} with a remedy if the state directory cannot be written.
 */
export function openSpools(
  { syslog, jsonLines, spoolBytes }: OptionValues<typeof receiveOptions>,
  { registry, ...parts }: Parts,
): ReadonlyMap<ReceivedInput, Spool> {
  const spools = new Map<ReceivedInput, Spool>();
  const wanted: ReceivedInput[] = [];
  if (syslog.length > 0) wanted.push('syslog');
  if (jsonLines.length > 0) wanted.push('json');
  if (wanted.length === 0) return spools;
  const directory = resolve(parts.directory);
  try {
    for (const name of wanted) {
      spools.set(name, new Spool({ ...parts, directory, name, limit: spoolBytes }));
    }
  } catch (error) {
    throw new ExpectedError(
      `${directory} cannot be written (${errorText(error)}): received messages wait there; mount a volume, and give it as --state`,
    );
  }
  registry.gauge({
    name: 'adapter_spool_bytes',
    help: 'Bytes of received messages on the state volume.',
    collect: (gauge) => {
      let bytes = 0;
      for (const spool of spools.values()) bytes += spool.bytes;
      gauge.set(bytes);
    },
  });
  return spools;
}
