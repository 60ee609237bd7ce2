import type { Counter, Histogram, Registry } from '@sidekit/core';

/** Counters of both sides. The handles are used on hot paths: count a burst at a time. */
export interface QueueMetrics {
  readonly messages: Counter;
  readonly records: Counter;
  readonly bytes: Counter;
  readonly wait: Histogram;
  readonly redeliveries: Counter;
  readonly duplicates: Counter;
  readonly invalid: Counter;
}

/** The producer, which creates the queue, also counts when it could not. */
export interface ProducerMetrics extends QueueMetrics {
  readonly failures: Counter;
}

const BUCKETS = [0.000_01, 0.0001, 0.001, 0.01, 0.1, 1, 10, 60];

/** Registers the metrics; `depth` is read at each scrape, undefined while no queue is open. */
export function queueMetrics(registry: Registry, depth: () => number | undefined): QueueMetrics {
  registry.gauge({
    name: 'mq_queue_depth',
    help: 'Messages in the queue now, bytes in a ring; NaN while it is not open.',
    collect: (gauge) => gauge.set(depth() ?? Number.NaN),
  });
  return {
    messages: registry.counter({
      name: 'mq_messages_total',
      help: 'Messages sent (producer) or received (consumer), those sent again included.',
    }),
    records: registry.counter({
      name: 'mq_records_total',
      help: 'Records sent (producer) or delivered to the sink (consumer), each once.',
    }),
    bytes: registry.counter({
      name: 'mq_bytes_total',
      help: 'Bytes of the messages sent or received.',
    }),
    wait: registry.histogram({
      name: 'mq_wait_seconds',
      help: 'Time spent waiting for room (producer) or for a message (consumer), each wait.',
      buckets: BUCKETS,
    }),
    redeliveries: registry.counter({
      name: 'mq_redeliveries_total',
      help: 'Messages sent again because no acknowledgement came.',
    }),
    duplicates: registry.counter({
      name: 'mq_duplicates_total',
      help: 'Records received again and dropped.',
    }),
    invalid: registry.counter({
      name: 'mq_invalid_messages_total',
      help: 'Messages that contradict their own header, or the layout of the ring, dropped.',
    }),
  };
}

/** Registers the metrics of a producer. */
export function producerMetrics(
  registry: Registry,
  depth: () => number | undefined,
): ProducerMetrics {
  return {
    ...queueMetrics(registry, depth),
    failures: registry.counter({
      name: 'mq_queue_failures_total',
      help: 'Attempts to create a queue that failed because there was no room.',
    }),
  };
}
