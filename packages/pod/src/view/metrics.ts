import type { Sample } from './model.ts';

/** The sidecars' metrics that the page draws, by family: the short name, and how samples combine. */
const FAMILIES: Readonly<Record<string, string>> = {
  http_server_request_duration_seconds_count: 'requests',
  http_server_request_duration_seconds_sum: 'requestSeconds',
  http_server_active_requests: 'activeRequests',
  adapter_records_total: 'lines',
  adapter_lag_bytes: 'lagBytes',
  adapter_dropped_records_total: 'drops',
  mq_records_total: 'records',
  mq_queue_depth: 'queueDepth',
  file_writer_last_success_timestamp_seconds: 'lastSuccess',
  coordinator_sequences_total: 'sequences',
  process_resident_memory_bytes: 'memoryBytes',
  process_cpu_seconds_total: 'cpuSeconds',
};

/** Series that count failures by their status. */
const FAILED = /http_response_status_code="5\d\d"|outcome="(error|failed)"|error_type=/;

/** Reads the Prometheus text format as far as the page shows it; anything else is passed over. */
export function parseMetrics(text: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line);
    if (!match) continue;
    const [, family = '', labels = '', number] = match;
    const name = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined;
    const value = Number(number);
    if (name === undefined || !Number.isFinite(value)) continue;
    values[name] = (values[name] ?? 0) + value;
    if (name === 'requests' && FAILED.test(labels))
      values.failures = (values.failures ?? 0) + value;
  }
  return values;
}

/** Makes one sample of all those of a container; later values win. */
export function mergeSamples(samples: readonly Sample[]): Sample[] {
  const merged = new Map<string, Sample['values']>();
  for (const { container, values } of samples) {
    merged.set(container, { ...merged.get(container), ...values });
  }
  return [...merged]
    .map(([container, values]) => ({ container, values }))
    .filter(({ values }) => Object.keys(values).length > 0);
}
