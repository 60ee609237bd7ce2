import {
  Broken,
  boolean,
  choice,
  commonOptions,
  defineOptions,
  duration,
  integer,
  list,
  map,
  number,
  object,
  option,
  path,
  type Report,
  refine,
  size,
  text,
} from '@sidekit/core';
import { outputTarget } from './output/target.ts';
import { FORMATS } from './parse/index.ts';
import { compilePattern, groupNames } from './parse/regex.ts';
import { READY_MADE } from './transform/redact.ts';

const pattern = refine(text('regular expression'), (source) => {
  try {
    compilePattern(source);
    return undefined;
  } catch (error) {
    return new Broken(
      `is not a regular expression that runs in linear time (${(error as Error).message})`,
      "use RE2's syntax, without look-around and back-references",
    );
  }
});

const glob = text('glob', {
  matches: /^[^\0]{1,4096}$/,
  rule: 'must be a path or glob',
  remedy: "write it as '/logs/*.log'",
});

const metricName = text('metric name', {
  matches: /^[a-zA-Z_:][a-zA-Z0-9_:]*$/,
  rule: 'must be a Prometheus metric name',
  remedy: 'use letters, digits, _ and :',
});

const outputFields = object({
  to: option(outputTarget, {
    description: 'As for `--output`.',
    required: true,
  }),
  format: option(choice('ndjson', 'json'), {
    description: 'For HTTP: JSON lines, or one JSON array a batch.',
    default: 'ndjson',
  }),
  gzip: option(boolean, { description: 'For HTTP, Loki and OTLP: compress.', default: false }),
  headers: option(map(text()), {
    description: 'For HTTP, Loki and OTLP: request headers, such as `X-Scope-OrgID`.',
    default: {},
  }),
  authorizationFile: option(path, {
    description: 'A file whose content is sent as the Authorization header, read each time.',
  }),
  timeout: option(duration(1, 3_600_000), {
    description: 'For HTTP, Loki and OTLP: how long one request may take.',
    default: 10_000,
  }),
  labels: option(map(text()), {
    description: "For Loki: the stream's labels; for OTLP: the resource's attributes.",
    default: {},
  }),
  maxSize: option(size(), {
    description: 'For a file: rotate once it would be larger; 0 never rotates.',
    default: 0,
  }),
  keep: option(integer(0, 1000), {
    description: 'For a file: how many rotated files are kept.',
    default: 5,
  }),
});

const metricFields = object({
  name: option(metricName, { description: 'As it is exposed.', required: true }),
  type: option(choice('counter', 'histogram'), {
    description: 'A counter adds, a histogram observes.',
    default: 'counter',
  }),
  help: option(text(), { description: 'Its HELP line.', default: '' }),
  field: option(text(), {
    description:
      'The field whose number is added or observed; a counter without it counts records.',
  }),
  labels: option(map(text()), {
    description: 'Label names to the fields that hold their values.',
    default: {},
  }),
  match: option(map(text()), {
    description: 'Only records with these field values count.',
    default: {},
  }),
  buckets: option(list(number(-1e15, 1e15)), {
    description: "Upper bounds of a histogram's buckets; by default those for seconds.",
  }),
});

const minute = 60_000;
const hour = 60 * minute;

export const adapterTable = defineOptions({
  command: 'adapter',
  summary: 'reads the logs that an application writes to files, and passes them on as records',
  prefix: 'ADAPTER',
  options: {
    include: option(list(glob), {
      description:
        'The log files: paths or globs (`*`, `?`, `**`, `[a-z]`, `{a,b}`) of the live names. Their rotated siblings are found without being named.',
      required: true,
    }),
    exclude: option(list(glob), {
      description: 'Files to leave out: globs of names, or of paths where they hold a slash.',
      default: [],
    }),
    format: option(choice(...FORMATS), { description: 'How lines are read.', default: 'raw' }),
    pattern: option(pattern, {
      description: 'For the format `regex`: a regular expression with named groups, in RE2 syntax.',
    }),
    timeFields: option(list(text()), {
      description: 'Where records of json, logfmt and regex have their time; the first counts.',
      default: ['time', 'timestamp', '@timestamp', 'ts', 't', 'asctime'],
    }),
    multilineStart: option(pattern, {
      description:
        'A line that matches begins a new record; others are added to the one before, as the lines of a stack trace.',
    }),
    multilineTimeout: option(duration(10, hour), {
      description: 'How long the last record of a multiline log waits for more lines.',
      default: 1000,
    }),
    multilineMaxLines: option(integer(2, 100_000), {
      description: 'The most lines of one record.',
      default: 500,
    }),
    startAt: option(choice('beginning', 'end'), {
      description: 'Where files are read from that were there before the very first start.',
      default: 'beginning',
    }),
    fileFields: option(list(choice('id', 'offset', 'path')), {
      description:
        'What each record says of its origin: `file.id` and `offset` together are a deduplication key, `file.path` is the live name.',
      default: ['id', 'offset'],
    }),
    rename: option(map(text()), { description: 'Old field names to new ones.', default: {} }),
    drop: option(list(text()), { description: 'Fields to leave out.', default: [] }),
    redact: option(list(choice(...READY_MADE)), {
      description: 'What to redact wherever it stands in a record.',
      default: [],
    }),
    redactFields: option(list(text()), {
      description: 'Fields whose value is redacted, at any depth.',
      default: [],
    }),
    redactPatterns: option(list(pattern), {
      description: 'Regular expressions of what else is redacted.',
      default: [],
    }),
    add: option(map(text()), {
      description:
        'Fields to add to each record. `file:/etc/podinfo/name` takes the content of a file, such as one of a downward API volume; variables of the container are written `$(POD_NAME)` in the manifest.',
      default: {},
    }),
    output: option(list(outputTarget), {
      description:
        'Where records go: `stdout`, `file:PATH`, `http://…` or `https://…` (JSON lines), `loki:http://…`, `otlp:http://…`. Several are delivered to independently. Without any, stdout.',
      default: [],
    }),
    outputs: option(list(outputFields), {
      description: 'Outputs with their own settings.',
      default: [],
      secret: true,
    }),
    metrics: option(list(metricFields), {
      description: 'Counters and histograms made from the records, beside those of access logs.',
      default: [],
    }),
    metricLabelSets: option(integer(1, 100_000), {
      description: 'The most label sets of one such metric; records beyond count as `__other__`.',
      default: 1000,
    }),
    state: option(path, {
      description:
        'The directory that remembers how far each file was delivered. By default `.adapter` in the directory of the first `--include`.',
    }),
    checkpointInterval: option(duration(0, minute), {
      description: 'The least time between two writes of the state.',
      default: 200,
    }),
    pollInterval: option(duration(10, minute), {
      description: 'How often files are looked at; hints of the kernel only make it earlier.',
      default: 250,
    }),
    rotateWait: option(duration(0, hour), {
      description: 'How long a rotated file is still read after its last growth.',
      default: 5000,
    }),
    partialFlush: option(duration(10, hour), {
      description: 'After how long a last line without its end is passed on, as `partial`.',
      default: 1000,
    }),
    maxLine: option(size(256, 16 * 1024 * 1024), {
      description: 'The longest line, in bytes.',
      default: 256 * 1024,
    }),
    longLines: option(choice('split', 'cut'), {
      description:
        'Longer lines: `split` passes on every byte in several `partial` records, `cut` only the beginning, as `truncated`.',
      default: 'split',
    }),
    batchBytes: option(size(1024, 64 * 1024 * 1024), {
      description: 'A batch is sent once it is this large; or earlier, when nothing more is there.',
      default: 256 * 1024,
    }),
    bufferBytes: option(size(4096, 1024 * 1024 * 1024), {
      description: 'Undelivered bytes in memory at which reading pauses.',
      default: 4 * 1024 * 1024,
    }),
    retryBase: option(duration(1, hour), {
      description: 'The bound of the first pause after a failed delivery; it doubles each time.',
      default: 200,
    }),
    retryCap: option(duration(1, hour), {
      description: 'The longest pause between two tries.',
      default: 30_000,
    }),
    refused: option(choice('drop', 'park'), {
      description:
        'Batches that an output refuses for good (400 and the like): dropped, or kept in `parked/` of the state directory. Both are counted.',
      default: 'drop',
    }),
    parkBytes: option(size(), {
      description: 'The most that is parked; beyond, batches are dropped.',
      default: 64 * 1024 * 1024,
    }),
    heldBytes: option(size(), {
      description:
        'Deleted files that are not delivered yet are kept on the disk up to this much, then given up, oldest first, and counted.',
      default: 1024 * 1024 * 1024,
    }),
    heldAge: option(duration(0), {
      description: 'Deleted files that are not delivered are given up after this long.',
      default: 24 * hour,
    }),
    ...commonOptions(':9902'),
  },
  check(values, _operands, report) {
    checkPattern(values.format, values.pattern, report);
    const names = values.metrics.map(({ name }) => name);
    for (const name of new Set(names.filter((one, i) => names.indexOf(one) !== i))) {
      report({ name: 'metrics', value: name, rule: 'is named twice', remedy: 'rename one' });
    }
    for (const { name, type, field, labels } of values.metrics) {
      if (type === 'histogram' && field === undefined) {
        report({ name: `metrics: ${name}`, rule: 'needs a field to observe', remedy: 'add field' });
      }
      for (const label of Object.keys(labels)) {
        if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) && label !== 'le') continue;
        report({ name: `metrics: ${name}`, value: label, rule: 'is not a label name' });
      }
    }
    const targets = [...values.output, ...values.outputs.map(({ to }) => to)].map(
      ({ kind, target }) => `${kind}:${target}`,
    );
    for (const target of new Set(targets.filter((one, i) => targets.indexOf(one) !== i))) {
      report({ name: 'output', value: target, rule: 'is given twice', remedy: 'leave one out' });
    }
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

function checkPattern(format: string, source: string | undefined, report: Report): void {
  if (format !== 'regex') {
    if (source === undefined) return;
    report({
      name: '--pattern',
      value: source,
      rule: 'goes with --format regex only',
      remedy: `leave it out, or write --format regex`,
    });
  } else if (source === undefined) {
    report({
      name: '--pattern',
      rule: 'is missing',
      remedy: 'give a regular expression with named groups',
    });
  } else if (groupNames(source).length === 0) {
    report({
      name: '--pattern',
      value: source,
      rule: 'has no named group',
      remedy: 'name what is to be a field: (?<level>[A-Z]+)',
    });
  }
}
