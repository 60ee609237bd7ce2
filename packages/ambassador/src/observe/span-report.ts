import { type Health, type Log, type Registry, throttle } from '@sidekit/core';
import type { SpanReport } from './span-exporter.ts';

/** Reports the export of spans: two metrics, a warning in `/readyz` and a log record. */
export function spanReport(metrics: Registry, health: Health, log: Log): SpanReport {
  const sent = metrics.counter({
    name: 'ambassador_spans_sent_total',
    help: 'Spans that the collector took.',
  });
  const lost = metrics.counter({
    name: 'ambassador_spans_dropped_total',
    help: 'Spans that were dropped because the collector was away, too slow or refused them.',
  });
  const condition = health.condition('spans');
  condition.pass();
  let last = '';
  const warn = throttle(10_000, (suppressed) =>
    log.warn('spans cannot be sent', { event: 'spans_not_sent', reason: last, suppressed }),
  );
  return {
    sent: (spans) => {
      sent.inc(spans);
      condition.pass();
    },
    dropped: (spans, reason) => {
      lost.inc(spans);
      last = reason;
      condition.warn(`spans cannot be sent: ${reason}`);
      warn();
    },
  };
}
