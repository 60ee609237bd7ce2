import {
  ExitCode,
  ExpectedError,
  errorText,
  type OptionValues,
  type Registry,
  readSmallFile,
} from '@sidekit/core';
import { AccessMetrics, declaredMetrics } from '../observe/log-metrics.ts';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import type { adapterTable } from '../options/table.ts';
import type { PayloadPool } from '../output/batch.ts';
import type { Encoding } from '../output/encoding.ts';
import { recordFilter } from '../transform/filter.ts';
import { transformer } from '../transform/transform.ts';
import { formatsOf, isAccessLog } from './format-settings.ts';
import { lineFormats } from './line-formats.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';

type Values = OptionValues<(typeof adapterTable)['options']>;

interface SharedParts {
  readonly metrics: AdapterMetrics;
  readonly registry: Registry;
  readonly pool: PayloadPool;
  readonly now: () => number;
  readonly wall: () => number;
  /** The formats of received messages by the paths of their spools. */
  readonly spools: ReadonlyMap<string, 'syslog' | 'json'>;
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
  const formats = formatsOf(options, parts.spools);
  const access = formats.some(isAccessLog) ? new AccessMetrics(registry) : undefined;
  const filter = recordFilter(options);
  return (encoding, delivery) => {
    const forRecords = observe !== undefined || filter !== undefined;
    const context = { transformation, encoding, forRecords, access };
    const { formatOf, added } = lineFormats(formats, context);
    return new Pipeline({
      ...options,
      ...parts,
      formatOf,
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

/** The largest file of a value, in bytes. */
const LARGEST = 1024 * 1024;

/** Reads values of the form `file:/path` from their files. */
function resolved(add: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(add).map(([name, value]) => {
      if (!value.startsWith('file:')) return [name, value];
      try {
        return [name, readSmallFile(value.slice('file:'.length), LARGEST).toString().trim()];
      } catch (error) {
        throw new ExpectedError(
          `--add ${name}=${value} cannot be read (${errorText(error)}): mount the file`,
          ExitCode.usage,
        );
      }
    }),
  );
}
