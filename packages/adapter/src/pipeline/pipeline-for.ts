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
import type { Delivery } from '../output/delivery.ts';
import { CERTAIN, FastAccess, POSSIBLE } from '../parse/access-fast.ts';
import { FastJson } from '../parse/json-fast.ts';
import { parserFor } from '../parse/parser-for.ts';
import { compilePattern } from '../parse/regex.ts';
import { byteTransform, type KnownFields } from '../transform/on-bytes.ts';
import { transformer } from '../transform/transform.ts';
import { Joiner } from './joiner.ts';
import { Pipeline } from './pipeline.ts';
import { KEY_FIELDS } from './record-key.ts';

type Values = OptionValues<(typeof adapterTable)['options']>;

const NONE: KnownFields = { possible: [], certain: [] };

interface PipelineParts {
  readonly metrics: AdapterMetrics;
  readonly registry: Registry;
  readonly pool: PayloadPool;
  readonly encodings: ConstructorParameters<typeof Pipeline>[0]['encodings'];
  readonly now: () => number;
  readonly delivery: Delivery;
}

/** Creates the pipeline for the options, on the faster of its two paths if they allow it. */
export function pipelineFor(options: Values, parts: PipelineParts): Pipeline {
  const { metrics, registry, encodings, delivery } = parts;
  const { format } = options;
  const start = options.multilineStart;
  const transformation = { ...options, add: resolved(options.add) };
  const observe =
    options.metrics.length > 0
      ? declaredMetrics(registry, options.metrics, options.metricLabelSets, () =>
          metrics.droppedRecords.with({ cause: 'label-sets', output: 'metrics' }).inc(),
        )
      : undefined;
  const joiner =
    start !== undefined || format === 'cri'
      ? new Joiner({
          start: start === undefined ? undefined : compilePattern(start),
          cri: format === 'cri',
          maxLines: options.multilineMaxLines,
          maxSize: Math.max(options.maxLine, 1024 * 1024),
        })
      : undefined;
  const plain = encodings.every(({ name }) => name === 'ndjson');
  const isAccess = format === 'common' || format === 'combined';
  const access = isAccess ? new AccessMetrics(registry) : undefined;
  const fields = isAccess ? { possible: POSSIBLE, certain: CERTAIN } : NONE;
  const onBytes = plain && !observe && !joiner ? byteTransform(transformation, fields) : undefined;
  const fastAccess = isAccess && onBytes ? new FastAccess(format) : undefined;
  const fastJson =
    format === 'json' && onBytes
      ? new FastJson(options.timeFields, [...KEY_FIELDS, ...onBytes.reserved])
      : undefined;
  const fast = fastAccess ?? fastJson;
  return new Pipeline({
    ...options,
    ...parts,
    parse: parserFor(options),
    fast: fast && onBytes?.around(fast),
    added: onBytes?.added ?? '',
    tally: fastAccess && access ? () => access.tally(fastAccess.counts) : undefined,
    joiner,
    transform: transformer(transformation),
    observe,
    access,
    eventTimeout: options.multilineTimeout,
    submit: (batch) => delivery.submit(batch),
  });
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
