import { choice, list, map, number, object, option, type Report, text } from '@sidekit/core';
import type { MetricSpec } from '../observe/log-metrics.ts';

export const metricName = text('metric name', {
  matches: /^[a-zA-Z_:][a-zA-Z0-9_:]*$/,
  rule: 'must be a Prometheus metric name',
  remedy: 'use letters, digits, _ and :',
});

/** A counter or histogram derived from the records. */
export const metricFields = object({
  name: option(metricName, { description: 'The name under which it is exposed.', required: true }),
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
    description: 'Only records with these field values are counted.',
    default: {},
  }),
  buckets: option(list(number(-1e15, 1e15)), {
    description: "Upper bounds of a histogram's buckets; by default those for seconds.",
  }),
});

/** Checks that names are unique, histograms have a field, and label names are valid. */
export function checkMetrics(metrics: readonly MetricSpec[], report: Report): void {
  const names = metrics.map(({ name }) => name);
  for (const name of new Set(names.filter((one, i) => names.indexOf(one) !== i))) {
    report({ name: 'metrics', value: name, rule: 'is named twice', remedy: 'rename one' });
  }
  for (const { name, type, field, labels } of metrics) {
    if (type === 'histogram' && field === undefined) {
      report({ name: `metrics: ${name}`, rule: 'needs a field to observe', remedy: 'add field' });
    }
    for (const label of Object.keys(labels)) {
      if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) && label !== 'le') continue;
      report({ name: `metrics: ${name}`, value: label, rule: 'is not a label name' });
    }
  }
}
