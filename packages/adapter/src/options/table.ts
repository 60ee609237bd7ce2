import {
  boolean,
  choice,
  commonOptions,
  defineOptions,
  duration,
  integer,
  list,
  map,
  number,
  option,
  path,
  size,
  text,
} from '@sidekit/core';
import { outputTarget } from '../output/target.ts';
import { Globs } from '../tail/glob.ts';
import { condition } from '../transform/filter.ts';
import { READY_MADE } from '../transform/redact.ts';
import { checkFormat, formatFields, formatSettings } from './formats.ts';
import { checkInputs } from './inputs.ts';
import { checkJsonEndpoints, jsonEndpointOptions } from './json-endpoints.ts';
import { checkMetrics, metricFields } from './metrics.ts';
import { checkHttpSettings, checkTargets, httpSettings, outputFields } from './outputs.ts';
import { glob, pattern } from './pattern.ts';
import { receiveOptions } from './receive.ts';
import { checkStatsd, statsdOptions } from './statsd.ts';
import { zoneName } from './time-zone.ts';

const minute = 60_000;
const hour = 60 * minute;

export const adapterTable = defineOptions({
  command: 'adapter',
  summary: 'converts the logs and metrics of an application for the platform',
  prefix: 'ADAPTER',
  options: {
    include: option(list(glob), {
      description:
        'The log files: paths or globs (`*`, `?`, `**`, `[a-z]`, `{a,b}`) of the live names; a file that is named exactly so matches too. Their rotated siblings are found automatically. Needed unless there is another input, such as `--statsd`.',
      default: [],
    }),
    exclude: option(list(glob), {
      description: 'Files to leave out: globs of names, or of paths if they contain a slash.',
      default: [],
    }),
    rotatedDir: option(list(path), {
      description:
        'Other directories into which files are rotated (logrotate’s `olddir`), relative to the directory of each log.',
      default: [],
    }),
    ...formatSettings,
    timeFields: option(list(text()), {
      description:
        'Fields of json, logfmt and regex records that may hold the time; the first that does counts.',
      default: ['time', 'timestamp', '@timestamp', 'ts', 't', 'asctime'],
    }),
    timezone: option(zoneName, {
      description: 'The time zone (IANA) of times that are written without one.',
      default: 'UTC',
    }),
    multilineTimeout: option(duration(10, hour), {
      description: 'How long the last record of a multiline log waits for more lines.',
      default: 1000,
    }),
    multilineMaxLines: option(integer(2, 100_000), {
      description: 'The largest number of lines in one record.',
      default: 500,
    }),
    formats: option(list(formatFields), {
      description:
        'Other formats of some of the files; the first entry that matches counts. The settings `format`, `pattern`, `nestedFormat`, `nestedField` and `multilineStart` above are those of all other files.',
      default: [],
    }),
    startAt: option(choice('beginning', 'end'), {
      description: 'Where to start in files that existed before the very first start.',
      default: 'beginning',
    }),
    fileFields: option(list(choice('id', 'offset', 'path')), {
      description:
        'The origin that is added to each record: `file.id` and `offset` together are a deduplication key, `file.path` is the live path.',
      default: ['id', 'offset'],
    }),
    rename: option(map(text()), { description: 'Old field names to new ones.', default: {} }),
    drop: option(list(text()), { description: 'Fields to leave out.', default: [] }),
    keepRecords: option(list(condition), {
      description:
        'Keep only records that meet one of these conditions: `field=value` or `field~pattern` (RE2).',
      default: [],
    }),
    dropRecords: option(list(condition), {
      description:
        'Drop records that meet one of these conditions, written as for `--keep-records`.',
      default: [],
    }),
    sampleRate: option(number(0, 1), {
      description: 'The share of the remaining records to keep.',
      default: 1,
    }),
    sampleKey: option(text(), {
      description: 'Keep or drop records with the same value of this field together.',
    }),
    redact: option(list(choice(...READY_MADE)), {
      description: 'Values to redact anywhere in a record.',
      default: [],
    }),
    redactFields: option(list(text()), {
      description: 'Fields whose value is redacted, at any depth.',
      default: [],
    }),
    redactPatterns: option(list(pattern), {
      description: 'Regular expressions (RE2) of other text to redact.',
      default: [],
    }),
    add: option(map(text()), {
      description:
        'Fields to add to each record. `file:/etc/podinfo/name` reads the value from a file, such as one of a downward API volume; a manifest can refer to the container’s variables as `$(POD_NAME)`.',
      default: {},
    }),
    output: option(list(outputTarget), {
      description:
        'Where records go: `stdout`, `file:PATH`, `http://…` or `https://…` (JSON lines), `loki:http://…`, `otlp:http://…`. Several outputs work independently. Default: stdout.',
      default: [],
    }),
    ...httpSettings,
    outputs: option(list(outputFields), {
      description:
        'Outputs with their own settings, instead of `--gzip`, `--headers`, `--labels` and so on.',
      default: [],
      secret: true,
    }),
    metrics: option(list(metricFields), {
      description:
        'Counters and histograms derived from the records, in addition to those of access logs.',
      default: [],
    }),
    metricLabelSets: option(integer(1, 100_000), {
      description:
        'The largest number of label sets of one such metric; further records count as `__other__`.',
      default: 1000,
    }),
    ...jsonEndpointOptions,
    ...receiveOptions,
    ...statsdOptions,
    state: option(path, {
      description:
        'The directory that stores how far each file was delivered. Default: `.adapter` in the directory of the first `--include`.',
    }),
    checkpointInterval: option(duration(0, minute), {
      description: 'The least time between two writes of the state.',
      default: 200,
    }),
    pollInterval: option(duration(10, minute), {
      description: 'How often files are checked; inotify events only cause an earlier check.',
      default: 250,
    }),
    rotateWait: option(duration(0, hour), {
      description: 'How long a rotated file is read after it last grew.',
      default: 5000,
    }),
    partialFlush: option(duration(10, hour), {
      description:
        'How long a last line without a line feed waits before it is passed on as `partial`.',
      default: 1000,
    }),
    maxLine: option(size(256, 16 * 1024 * 1024), {
      description: 'The largest line, in bytes.',
      default: 256 * 1024,
    }),
    longLines: option(choice('split', 'cut'), {
      description:
        'How to handle longer lines: `split` passes on every byte in several `partial` records, `cut` only the beginning, marked `truncated`.',
      default: 'split',
    }),
    batchBytes: option(size(1024, 64 * 1024 * 1024), {
      description:
        'The largest batch, in bytes of its body; a smaller one is sent if there is nothing more to read.',
      default: 256 * 1024,
    }),
    bufferBytes: option(size(4096, 1024 * 1024 * 1024), {
      description:
        'The size of undelivered records in memory at which reading pauses for an output; of all outputs at most 1/32 of the container’s memory limit.',
      default: 4 * 1024 * 1024,
    }),
    retryBase: option(duration(1, hour), {
      description:
        'The upper bound of the first pause after a failed delivery; it doubles with every attempt.',
      default: 200,
    }),
    retryCap: option(duration(1, hour), {
      description:
        'The longest pause between two attempts; `Retry-After` may ask for ten times as long.',
      default: 30_000,
    }),
    refused: option(choice('drop', 'park'), {
      description:
        'Records that an output refuses with 400, 413 or 422: dropped, or kept in `parked/` of the state directory. Both are counted.',
      default: 'drop',
    }),
    parkBytes: option(size(), {
      description: 'The largest size of all parked batches; further ones are dropped.',
      default: 64 * 1024 * 1024,
    }),
    replay: option(boolean, {
      description:
        'Deliver the parked records again, and exit. Next to a running adapter, give it another `--admin`.',
      default: false,
    }),
    heldBytes: option(size(), {
      description:
        'Deleted files that are not delivered yet are kept open up to this size; beyond it the oldest are dropped and counted.',
      default: 1024 * 1024 * 1024,
    }),
    heldAge: option(duration(0), {
      description: 'How long deleted files that are not delivered yet are kept open.',
      default: 24 * hour,
    }),
    ...commonOptions(':9902'),
  },
  check(options, _operands, report) {
    const { formats, metrics, output, outputs, include, exclude } = options;
    checkInputs(options, report);
    checkStatsd(options, report);
    const names = metrics.map(({ name }) => name);
    checkJsonEndpoints(options, names, report);
    checkFormat('', options, report);
    formats.forEach((one, i) => void checkFormat(`formats[${i}].`, one, report));
    checkMetrics(metrics, report);
    const targets = [...output, ...outputs.map(({ to }) => to)];
    checkHttpSettings('', options, report);
    outputs.forEach((one, i) => void checkHttpSettings(`outputs[${i}].`, one, report));
    checkTargets(targets, new Globs(include, exclude), report);
  },
  examples: [
    [
      "adapter --include '/logs/*.log' --format combined --output stdout",
      'An access log as JSON lines on stdout; requests are counted on :9902/metrics.',
    ],
    [
      "adapter --include /logs/app.log --multiline-start '^\\d{4}-' --output otlp:http://collector:4318",
      'Log events with their stack traces to an OpenTelemetry collector.',
    ],
  ],
});
