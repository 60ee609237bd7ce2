import type { OptionValues } from '@sidekit/core';
import type { adapterTable } from '../options/table.ts';
import { type TimeZone, timeZone } from '../parse/time-zone.ts';
import { matchesPath } from '../tail/glob.ts';

type Values = OptionValues<(typeof adapterTable)['options']>;

/** How the lines of some logs are parsed. */
export interface FormatSettings
  extends Pick<
    Values,
    | 'format'
    | 'pattern'
    | 'nestedFormat'
    | 'nestedField'
    | 'multilineStart'
    | 'timeFields'
    | 'multilineMaxLines'
    | 'maxLine'
  > {
  /** Whether the log with this live path is one of them. */
  readonly matches: (log: string) => boolean;
  readonly zone: TimeZone;
  /** Whether its lines are those of a spool of received messages. */
  readonly isSpool: boolean;
}

/**
 * Returns the settings in the order in which they are tried; the last ones match every log.
 * @param spools the formats of received messages by the paths of their spools.
 */
export function formatsOf(
  options: Values,
  spools: ReadonlyMap<string, 'syslog' | 'json'>,
): FormatSettings[] {
  const zone = timeZone(options.timezone);
  const received = Array.from(spools, ([path, format]) => ({
    ...options,
    ...{ format, zone, isSpool: true, multilineStart: undefined, nestedFormat: undefined },
    matches: (log: string) => log === path,
  }));
  const some = options.formats.map(({ files, timezone, ...format }) => ({
    ...options,
    ...format,
    isSpool: false,
    zone: timezone === undefined ? zone : timeZone(timezone),
    matches: (log: string) => files.some((pattern) => matchesPath(pattern, log)),
  }));
  return [...received, ...some, { ...options, zone, isSpool: false, matches: () => true }];
}

/** Whether the records are those of an access log. */
export function isAccessLog({ format, nestedFormat }: FormatSettings): boolean {
  return [format, nestedFormat].some((one) => one === 'common' || one === 'combined');
}
