/** Names of labels that Prometheus or the format of histograms and summaries uses. */
const RESERVED = new Set(['le', 'quantile']);

/** Replaces what a Prometheus metric name cannot hold by `_`, as statsd_exporter does. */
export function metricName(name: string): string {
  const valid = name.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(valid) ? `_${valid}` : valid;
}

/**
 * Converts tags (`env:prod,urgent`) to labels, sorted by name, so that their order does not matter.
 * A tag without a value has the value `true`; of two with one name the last counts. An empty value
 * is no label. Names that Prometheus reserves (`le`, `quantile`, `__…`) get the prefix `tag_`;
 * control characters become U+FFFD.
 * @param mapped labels by the mapping, which go before tags with their names.
 */
export function labelsOf(
  tags: string,
  mapped: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const labels = new Map<string, string>();
  for (const tag of tags.split(',')) {
    const colon = tag.indexOf(':');
    const name = labelName(colon === -1 ? tag : tag.slice(0, colon));
    if (name === '') continue;
    labels.set(name, colon === -1 ? 'true' : printable(tag.slice(colon + 1)));
  }
  for (const [name, value] of Object.entries(mapped)) labels.set(name, printable(value));
  return Object.fromEntries(
    [...labels].filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether Prometheus, or the format of histograms and summaries, uses a label name itself. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name) || name.startsWith('__');
}

function labelName(name: string): string {
  const valid = name.replace(/[^a-zA-Z0-9_]/g, '_');
  if (isReserved(valid)) return `tag_${valid}`;
  return /^\d/.test(valid) ? `_${valid}` : valid;
}

/** Replaces control characters by U+FFFD. */
export function printable(value: string): string {
  return value.replace(/[\x00-\x1f\x7f]/g, '\ufffd');
}
