import {
  choice,
  duration,
  integer,
  list,
  map,
  type OptionValues,
  object,
  option,
  type Report,
  size,
  text,
  url,
} from '@sidekit/core';
import { parsePath } from '../input/json-endpoint/path.ts';
import { isPath, type JsonMetricSpec, KEY } from '../input/json-endpoint/samples.ts';
import { isReserved } from '../input/statsd/names.ts';
import { metricName } from './metrics.ts';
import { checkSecurity, security } from './outputs.ts';

const MIB = 1024 * 1024;

/** A metric that is read from the document of an endpoint. */
const metricFields = object({
  name: option(metricName, { description: 'The name under which it is exposed.', required: true }),
  type: option(choice('gauge', 'counter'), {
    description: 'A counter is exposed as it is; one that goes down was reset.',
    default: 'gauge',
  }),
  help: option(text(), { description: 'Its HELP line.', default: '' }),
  path: option(text(), {
    description:
      'The values, or the objects with them: `.queue.size`, `.workers[*]`, `.pools.*`, `.list[0]`, `.a["odd.name"]`.',
    required: true,
  }),
  value: option(text(), {
    description: 'The number in what `path` leads to, such as `.busy`, or a fixed one.',
    default: '.',
  }),
  labels: option(map(text()), {
    description:
      'Label names to paths in what `path` leads to, such as `.id`, to `$key` (what its last `*` stands for), or to fixed text.',
    default: {},
  }),
});

/** The settings of JSON endpoints. */
export const jsonEndpointOptions = {
  jsonEndpoints: option(
    list(
      object({
        url: option(url('http', 'https'), {
          description: 'The status page; redirects are not followed.',
          required: true,
        }),
        interval: option(duration(1000, 86_400_000), {
          description: 'The pause between two polls.',
          default: 15_000,
        }),
        timeout: option(duration(1, 3_600_000), {
          description: 'How long a poll may take.',
          default: 5000,
        }),
        maxBytes: option(size(1024, 16 * MIB), {
          description: 'The largest answer.',
          default: MIB,
        }),
        maxSeries: option(integer(1, 100_000), {
          description: 'The largest number of time series; further ones are dropped and counted.',
          default: 1000,
        }),
        ...security,
        metrics: option(list(metricFields), { description: 'The metrics in it.', required: true }),
      }),
    ),
    {
      description: 'JSON status pages of the application that are polled and become metrics.',
      default: [],
      secret: true,
    },
  ),
};

/** Prefixes of the metrics that the adapter has itself. */
const OWN = /^(?:adapter|log_http|process|nodejs|sidekit)_/;

/** Checks that paths are valid, and that names belong to one endpoint and one type. */
export function checkJsonEndpoints(
  { jsonEndpoints }: OptionValues<typeof jsonEndpointOptions>,
  others: readonly string[],
  report: Report,
): void {
  const owners = new Map<string, string>(others.map((name) => [name, 'metrics']));
  jsonEndpoints.forEach(({ metrics, ...settings }, i) => {
    checkSecurity(`jsonEndpoints[${i}].`, settings, report);
    metrics.forEach((spec, k) => {
      const at = `jsonEndpoints[${i}].metrics[${k}]`;
      checkMetric(at, spec, report);
      const owner = `jsonEndpoints[${i}], ${spec.type}`;
      const known = owners.get(spec.name);
      owners.set(spec.name, known ?? owner);
      if (known !== undefined && known !== owner) {
        report({
          name: `${at}.name`,
          value: spec.name,
          rule: `is used by ${known} too`,
          remedy: 'choose another name: a name belongs to one endpoint and one type',
        });
      }
    });
  });
}

function checkMetric(at: string, spec: JsonMetricSpec, report: Report): void {
  const paths: [string, string][] = [[`${at}.path`, spec.path]];
  if (isPath(spec.value)) paths.push([`${at}.value`, spec.value]);
  else if (spec.value.trim() === '' || !Number.isFinite(Number(spec.value))) {
    report({ name: `${at}.value`, value: spec.value, rule: 'must be a path or a number' });
  }
  for (const [label, source] of Object.entries(spec.labels)) {
    if (isPath(source) && source !== KEY) paths.push([`${at}.labels.${label}`, source]);
    if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) && !isReserved(label)) continue;
    report({
      name: `${at}.labels`,
      value: label,
      rule: 'is not a label name, or one that Prometheus uses',
      remedy: 'use letters, digits and _',
    });
  }
  for (const [name, value] of paths) {
    if (isPath(value) && parsePath(value)) continue;
    report({ name, value, rule: 'is not a path', remedy: 'write .queue.size or .workers[*].busy' });
  }
  if (!OWN.test(spec.name)) return;
  report({
    name: `${at}.name`,
    value: spec.name,
    rule: 'has the prefix of metrics of the adapter itself',
    remedy: 'choose another name',
  });
}
