import type { Health, Registry } from '@sidekit/core';
import type { AccessLogReport } from './access-log.ts';

/** Reports lost lines of the access log: a metric and a warning in `/readyz`. */
export function accessLogReport(metrics: Registry, health: Health): AccessLogReport {
  const lost = metrics.counter({
    name: 'ambassador_access_log_lines_dropped_total',
    help: 'Lines of the access log that could not be written.',
  });
  const condition = health.condition('access log');
  condition.pass();
  return {
    dropped: (lines, reason) => {
      lost.inc(lines);
      condition.warn(`lines of the access log are lost: ${reason}`);
    },
    recovered: () => condition.pass(),
  };
}
