import {
  address,
  choice,
  DURATION_BUCKETS,
  duration,
  integer,
  list,
  map,
  number,
  type OptionValues,
  object,
  option,
  type Report,
  text,
} from '@sidekit/core';
import { groupCount, largestGroup, type MappingRule } from '../input/statsd/mapping.ts';
import { isReserved } from '../input/statsd/names.ts';

const kind = choice('counter', 'gauge', 'histogram', 'set');

/** A mapping rule, as statsd_exporter has them. */
const mappingFields = object({
  match: option(text('pattern', { matches: /^.{1,512}$/, rule: 'must be 1 to 512 characters' }), {
    description: 'A glob, in which `*` matches one part between dots, or a regular expression.',
    required: true,
  }),
  matchType: option(choice('glob', 'regex'), {
    description: 'The kind of `match`; `regex` is RE2, and matches anywhere in the name.',
    default: 'glob',
  }),
  metricType: option(kind, { description: 'Only metrics of this type; timers are histograms.' }),
  action: option(choice('map', 'drop'), {
    description: 'Whether metrics that match get another name and labels, or are dropped.',
    default: 'map',
  }),
  name: option(text(), {
    description:
      'The name in Prometheus; `$1` is what the first `*` or group matched. Put the number in braces if a letter or digit follows.',
  }),
  labels: option(map(text()), {
    description: 'Labels, whose values may have `$1` too; they go before tags of their names.',
    default: {},
  }),
  buckets: option(list(number(-1e15, 1e15)), {
    description: 'Upper bounds of the buckets of such histograms instead of `--statsd-buckets`.',
  }),
});

const MOST_RULES = 1000;

/** The settings of the StatsD listener. */
export const statsdOptions = {
  statsd: option(address, {
    description:
      'Receive StatsD and DogStatsD metrics over UDP here, such as `:8125`. Without a host, on 127.0.0.1 only, which all containers of the Pod share.',
  }),
  statsdSeries: option(integer(100, 100_000), {
    description:
      'StatsD: the largest number of time series, where a histogram has one for each bucket and 3; new ones beyond it are dropped and counted.',
    default: 10_000,
  }),
  statsdBuckets: option(list(number(-1e15, 1e15)), {
    description:
      'StatsD: upper bounds of the buckets of timers (in seconds), histograms and distributions.',
    default: DURATION_BUCKETS,
  }),
  statsdMappings: option(list(mappingFields), {
    description:
      'StatsD: rules that make names and labels of the parts of a name, or drop metrics; the first that matches counts. Other metrics keep their names.',
    default: [],
  }),
  statsdExpiry: option(duration(0), {
    description: 'StatsD: series that were not updated for so long are forgotten; 0 keeps them.',
    default: 3_600_000,
  }),
};

const MOST_BUCKETS = 64;

/** Checks that the address is one of UDP, that buckets ascend, and that rules can work. */
export function checkStatsd(
  { statsd, statsdBuckets, statsdMappings }: OptionValues<typeof statsdOptions>,
  report: Report,
): void {
  if (statsd && 'path' in statsd) {
    report({
      name: 'statsd',
      value: `unix:${statsd.path}`,
      rule: 'must be a host and a port: StatsD is received over UDP',
      remedy: 'write :8125',
    });
  }
  checkBuckets('statsdBuckets', statsdBuckets, report);
  if (statsdMappings.length > MOST_RULES) {
    report({
      name: 'statsdMappings',
      value: `${statsdMappings.length} rules`,
      rule: `must be at most ${MOST_RULES}`,
      remedy: 'combine some with `*`',
    });
  }
  statsdMappings.forEach((rule, i) => void checkRule(`statsdMappings[${i}]`, rule, report));
}

function checkRule(name: string, rule: MappingRule, report: Report): void {
  let groups: number;
  try {
    groups = groupCount(rule);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report({
      name: `${name}.match`,
      value: rule.match,
      rule: `is not a regular expression that runs in linear time (${reason})`,
      remedy: "use RE2's syntax, without look-around and back-references",
    });
    return;
  }
  if (rule.action === 'map' && rule.name === undefined) {
    report({ name: `${name}.name`, rule: 'is missing', remedy: 'give a name, or action: drop' });
  }
  for (const template of [rule.name ?? '', ...Object.values(rule.labels)]) {
    if (largestGroup(template) <= groups) continue;
    report({
      name,
      value: template,
      rule: `refers to a group that ${rule.match} does not have`,
      remedy: `it has ${groups}`,
    });
  }
  for (const label of Object.keys(rule.labels)) {
    if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) && !isReserved(label)) continue;
    report({
      name: `${name}.labels`,
      value: label,
      rule: 'is not a label name, or one that Prometheus uses',
      remedy: 'use letters, digits and _',
    });
  }
  if (rule.buckets) checkBuckets(`${name}.buckets`, rule.buckets, report);
}

function checkBuckets(name: string, buckets: readonly number[], report: Report): void {
  const ascend = buckets.every((bound, i) => i === 0 || bound > buckets[i - 1]!);
  if (ascend && buckets.length <= MOST_BUCKETS) return;
  report({
    name,
    value: buckets.join(','),
    rule: `must ascend, and be at most ${MOST_BUCKETS}`,
    remedy: 'sort them and leave some out',
  });
}
