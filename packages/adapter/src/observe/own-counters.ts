import type { Counter, Family, Registry } from '@sidekit/core';

/** The adapter's own counters. */
export interface AdapterMetrics {
  readonly lines: Counter;
  readonly bytes: Counter;
  readonly records: Counter;
  readonly parseErrors: Counter;
  readonly unparsedFields: Counter;
  readonly failedRecords: Counter;
  readonly filteredRecords: Counter;
  readonly invalidUtf8: Counter;
  readonly longLines: Counter;
  readonly partialLines: Counter;
  readonly generations: Counter;
  readonly rotations: Counter;
  readonly truncations: Counter;
  readonly lostFiles: Counter;
  readonly droppedRecords: Family<Counter>;
  readonly droppedBytes: Family<Counter>;
  readonly checkpoints: Counter;
  readonly checkpointFailures: Counter;
  readonly delivered: Family<Counter>;
  readonly retries: Family<Counter>;
}

export function adapterMetrics(registry: Registry): AdapterMetrics {
  const counter = (name: string, help: string) =>
    registry.counter({ name: `adapter_${name}_total`, help });
  const counters = (name: string, help: string) =>
    registry.counters({ name: `adapter_${name}_total`, help });
  return {
    lines: counter('lines', 'Lines read.'),
    bytes: counter('read_bytes', 'Bytes read.'),
    records: counter('records', 'Records created.'),
    parseErrors: counter('parse_errors', 'Lines passed on raw because they did not parse.'),
    unparsedFields: counter(
      'unparsed_fields',
      'Fields left as they are because their text is not in the nested format.',
    ),
    failedRecords: counter(
      'failed_records',
      'Records passed on raw because converting them failed.',
    ),
    filteredRecords: counter('filtered_records', 'Records dropped by a condition or by sampling.'),
    invalidUtf8: counter('invalid_utf8_lines', 'Lines in which bytes were not UTF-8.'),
    longLines: counter('long_lines', 'Lines longer than the limit, cut or split.'),
    partialLines: counter('partial_lines', 'Last lines passed on before their end was written.'),
    generations: counter('generations', 'Generations of log files that were started.'),
    rotations: counter('rotations', 'Live names that moved to another file.'),
    truncations: counter('truncations', 'Files that were truncated or replaced in place.'),
    lostFiles: counter('lost_files', 'Files with unread lines that were not found again.'),
    droppedRecords: counters('dropped_records', 'Records dropped, by cause.'),
    droppedBytes: counters(
      'dropped_bytes',
      'Unread bytes of deleted files that were dropped, by cause.',
    ),
    checkpoints: counter('checkpoints', 'Times the state was written.'),
    checkpointFailures: counter('checkpoint_failures', 'Times the state could not be written.'),
    delivered: counters('delivered_records', 'Records that an output acknowledged.'),
    retries: counters('retries', 'Deliveries that failed and are tried again.'),
  };
}
