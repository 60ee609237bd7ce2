import type { Counter, Family, Gauge, Histogram, Registry } from '@sidekit/core';

/** The metrics of the coordinator. */
export interface Metrics {
  readonly sequences: Family<Counter>;
  readonly steps: Family<Counter>;
  readonly duration: Family<Histogram>;
  readonly running: Family<Gauge>;
}

/** The metrics of an election; registered if the plan has one. */
export interface LeaderMetrics {
  readonly changes: Family<Counter>;
  readonly attempts: Family<Counter>;
}

export function registerLeaderMetrics(registry: Registry, leads: () => boolean): LeaderMetrics {
  registry.gauge({
    name: 'coordinator_leader',
    help: 'Whether this replica leads.',
    collect: (gauge) => gauge.set(Number(leads())),
  });
  return {
    changes: registry.counters({
      name: 'coordinator_leadership_changes_total',
      help: 'Changes of leadership of this replica: gained or lost.',
    }),
    attempts: registry.counters({
      name: 'coordinator_lease_attempts_total',
      help: 'Attempts to take or renew the Lease, by result; failed is one of them.',
    }),
  };
}

export function registerMetrics(registry: Registry, pending: () => number): Metrics {
  registry.gauge({
    name: 'coordinator_pending_sequences',
    help: 'Sequences that were triggered and wait for their turn.',
    collect: (gauge) => gauge.set(pending()),
  });
  return {
    sequences: registry.counters({
      name: 'coordinator_sequences_total',
      help: 'Runs of sequences, by result: succeeded or failed.',
    }),
    steps: registry.counters({
      name: 'coordinator_steps_total',
      help: 'Steps that ended, by result: succeeded or failed.',
    }),
    duration: registry.histograms({
      name: 'coordinator_step_duration_seconds',
      help: 'The time that steps took, with their retries.',
      buckets: [0.01, 0.1, 1, 10, 60, 600],
    }),
    running: registry.gauges({
      name: 'coordinator_running',
      help: 'Whether a sequence runs now.',
    }),
  };
}
