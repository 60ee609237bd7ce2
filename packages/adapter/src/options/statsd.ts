import {
  address,
  DURATION_BUCKETS,
  duration,
  integer,
  list,
  number,
  type OptionValues,
  option,
  type Report,
} from '@sidekit/core';

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
  statsdExpiry: option(duration(0), {
    description: 'StatsD: series that were not updated for so long are forgotten; 0 keeps them.',
    default: 3_600_000,
  }),
};

const MOST_BUCKETS = 64;

/** Checks that the address is one of UDP, and that buckets ascend. */
export function checkStatsd(
  { statsd, statsdBuckets }: OptionValues<typeof statsdOptions>,
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
  const ascend = statsdBuckets.every((bound, i) => i === 0 || bound > statsdBuckets[i - 1]!);
  if (!ascend || statsdBuckets.length > MOST_BUCKETS) {
    report({
      name: 'statsdBuckets',
      value: statsdBuckets.join(','),
      rule: `must ascend, and be at most ${MOST_BUCKETS}`,
      remedy: 'sort them and leave some out',
    });
  }
}
