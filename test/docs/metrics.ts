import { resolve } from 'node:path';
import { must } from '../engine/command.ts';

/** A metric that a sidecar serves. */
export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Who serves it; `every sidecar` where all do. */
  readonly source: string;
}

/** The metrics of the running sidecars, by source, then in the order of their pages. */
export async function servedMetrics(): Promise<Metric[]> {
  const flags = ['--net', '--ipc', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const text = await must('unshare', [...flags, process.execPath, resolve('test/docs/scrape.ts')]);
  const pages: Record<string, string> = JSON.parse(text);
  const sources = new Map<string, Set<string>>();
  const metrics = new Map<string, Omit<Metric, 'source'>>();
  for (const [source, page] of Object.entries(pages)) {
    for (const [, name = '', help = '', type = ''] of page.matchAll(
      /^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm,
    )) {
      metrics.set(name, { name, type, help });
      sources.set(name, (sources.get(name) ?? new Set()).add(source));
    }
  }
  const all = Object.keys(pages).length;
  return [...metrics.values()].map((metric) => {
    const from = [...(sources.get(metric.name) ?? [])];
    return { ...metric, source: from.length === all ? 'every sidecar' : from.join(', ') };
  });
}

/** As rows of a Markdown table, those of every sidecar first. */
export function metricTable(metrics: readonly Metric[]): string {
  const rows = metrics
    .toSorted((a, b) => Number(b.source === 'every sidecar') - Number(a.source === 'every sidecar'))
    .map(({ name, type, help, source }) => `| ${source} | \`${name}\` | ${type} | ${help} |`);
  return ['| of | metric | type | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The metrics that a PromQL expression reads, without the suffixes of histograms. */
export function metricsOf(expression: string): string[] {
  const bare = expression
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/"[^"]*"/g, ' ')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ');
  const words = [...bare.matchAll(/\b([a-zA-Z_:][a-zA-Z0-9_:]*)\b(?!\s*\()/g)];
  return words
    .map(([, word = '']) => word)
    .filter((word) => !['and', 'or', 'unless', 'bool', 'offset'].includes(word))
    .map((word) => word.replace(/_(bucket|sum|count)$/, ''));
}
