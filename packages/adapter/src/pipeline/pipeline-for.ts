import { readFileSync } from 'node:fs';
import {
  ExitCode,
  ExpectedError,
  errorText,
  type OptionValues,
  type Registry,
} from '@sidekit/core';
import { AccessMetrics, declaredMetrics } from '../observe/log-metrics.ts';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import type { adapterTable } from '../options/table.ts';
import type { PayloadPool } from '../output/batch.ts';
import type { Encoding } from '../output/encoding.ts';
import { CERTAIN, FastAccess, POSSIBLE } from '../parse/access-fast.ts';
import { FastJson } from '../parse/json-fast.ts';
import { type Format, parserFor } from '../parse/parser-for.ts';
import { compilePattern } from '../parse/regex.ts';
import { timeZone } from '../parse/time-zone.ts';
import { recordFilter } from '../transform/filter.ts';
import { byteTransform, type KnownFields } from '../transform/on-bytes.ts';
import { transformer } from '../transform/transform.ts';
import { Joiner } from './joiner.ts';
import type { LineFormat } from './line-format.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { KEY_FIELDS } from './record-key.ts';

type Values = OptionValues<(typeof adapterTable)['options']>;

const NONE: KnownFields = { possible: [], certain: [] };

interface SharedParts {
  readonly metrics: AdapterMetrics;
  readonly registry: Registry;
  readonly pool: PayloadPool;
  readonly now: () => number;
}

/** Creates the pipelines of the outputs, which share their metrics. */
export function pipelinesFor(
  options: Values,
  parts: SharedParts,
): (encoding: Encoding, delivery: PipelineOptions['delivery']) => Pipeline {
  const { metrics, registry } = parts;
  const transformation = { ...options, add: resolved(options.add) };
  const observe =
    options.metrics.length > 0
      ? declaredMetrics(registry, options.metrics, options.metricLabelSets, () =>
          metrics.droppedRecords.with({ cause: 'label-sets', output: 'metrics' }).inc(),
        )
      : undefined;
  const access = isAccess(options.format) ? new AccessMetrics(registry) : undefined;
  const filter = recordFilter(options);
  return (encoding, delivery) => {
    const needsRecords = observe !== undefined || filter !== undefined;
    const { format, added } = lineFormat(options, transformation, encoding, needsRecords, access);
    return new Pipeline({
      ...options,
      ...parts,
      formatOf: () => format,
      added,
      filter,
      transform: transformer(transformation),
      observe,
      encoding,
      eventTimeout: options.multilineTimeout,
      delivery,
    });
  };
}

/** Creates a format, on the faster of its two paths if the options allow it. */
function lineFormat(
  options: Values,
  transformation: Values,
  encoding: Encoding,
  needsRecords: boolean,
  access: AccessMetrics | undefined,
): { format: LineFormat; added: string } {
  const { format } = options;
  const zone = timeZone(options.timezone);
  const start = options.multilineStart;
  const joiner =
    start !== undefined || format === 'cri'
      ? new Joiner({
          start: start === undefined ? undefined : compilePattern(start),
          cri: format === 'cri',
          maxLines: options.multilineMaxLines,
          maxSize: Math.max(options.maxLine, 1024 * 1024),
        })
      : undefined;
  const fields = isAccess(format) ? { possible: POSSIBLE, certain: CERTAIN } : NONE;
  const plain = encoding.name === 'ndjson' && !needsRecords && !joiner;
  const onBytes = plain ? byteTransform(transformation, fields) : undefined;
  const fastAccess =
    (format === 'common' || format === 'combined') && onBytes ? new FastAccess(format) : undefined;
  const fastJson =
    format === 'json' && onBytes
      ? new FastJson(options.timeFields, [...KEY_FIELDS, ...onBytes.reserved], zone)
      : undefined;
  const fast = fastAccess ?? fastJson;
  return {
    format: {
      parse: parserFor({ ...options, zone }),
      fast: fast && onBytes?.around(fast),
      joiner,
      access,
      tally:
        fastAccess && access ? (counted) => access.tally(fastAccess.counts, counted) : undefined,
    },
    added: onBytes?.added ?? '',
  };
}

function isAccess(format: Format): boolean {
  return format === 'common' || format === 'combined';
}

/** Reads values of the form `file:/path` from their files. */
function resolved(add: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(add).map(([name, value]) => {
      if (!value.startsWith('file:')) return [name, value];
      try {
        return [name, readFileSync(value.slice('file:'.length), 'utf8').trim()];
      } catch (error) {
        throw new ExpectedError(
          `--add ${name}=${value} cannot be read (${errorText(error)}): mount the file`,
          ExitCode.usage,
        );
      }
    }),
  );
}
