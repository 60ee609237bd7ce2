import type { Counter, Family, Gauge, Histogram, Registry } from '@sidekit/core';

/** The metrics of the file-writer; the label `target` is the path that readers use. */
export interface Metrics {
  readonly polls: Family<Counter>;
  readonly failures: Family<Counter>;
  readonly bytes: Family<Counter>;
  readonly size: Family<Gauge>;
  readonly lastSuccess: Family<Gauge>;
  readonly lastChange: Family<Gauge>;
  readonly failing: Family<Gauge>;
  readonly duration: Histogram;
  readonly notifications: Family<Counter>;
  readonly pendingNotifications: Family<Gauge>;
}

export function registerMetrics(registry: Registry): Metrics {
  return {
    polls: registry.counters({
      name: 'file_writer_polls_total',
      help: 'Checks of the source, by result: changed, unchanged or failed.',
    }),
    failures: registry.counters({
      name: 'file_writer_failures_total',
      help: 'Failed checks, by reason.',
    }),
    bytes: registry.counters({
      name: 'file_writer_published_bytes_total',
      help: 'Bytes of published content.',
    }),
    size: registry.gauges({
      name: 'file_writer_content_bytes',
      help: 'Size of the content that was published last.',
    }),
    lastSuccess: registry.gauges({
      name: 'file_writer_last_success_timestamp_seconds',
      help: 'When the target was last known to equal its source, in seconds since 1970.',
    }),
    lastChange: registry.gauges({
      name: 'file_writer_last_change_timestamp_seconds',
      help: 'When content was last published, in seconds since 1970.',
    }),
    failing: registry.gauges({
      name: 'file_writer_failing',
      help: '1 while the last check failed and the content may be stale.',
    }),
    duration: registry.histogram({
      name: 'file_writer_poll_duration_seconds',
      help: 'Duration of one check, publishing included.',
    }),
    notifications: registry.counters({
      name: 'file_writer_notifications_total',
      help: 'Requests to the app after a change, by result: accepted or failed.',
    }),
    pendingNotifications: registry.gauges({
      name: 'file_writer_notification_pending',
      help: '1 while the app has not accepted the notification of the newest content.',
    }),
  };
}
