import { RE2JS } from 're2js';
import type { Kind } from './line.ts';

/** A rule for the metrics whose StatsD name matches, as the option declares it. */
export interface MappingRule {
  readonly match: string;
  readonly matchType: 'glob' | 'regex';
  /** Only metrics of this type. */
  readonly metricType: Kind | undefined;
  readonly action: 'map' | 'drop';
  /** The name in Prometheus, in which `$1` is what the first group or `*` matched. */
  readonly name: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: readonly number[] | undefined;
}

/** The name and labels of a metric by the rule that it matches. */
export interface Mapped {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: readonly number[] | undefined;
}

/** Returns how a metric is mapped: 'drop' if it is left out, undefined if no rule matches. */
export type Mapping = (name: string, kind: Kind) => Mapped | 'drop' | undefined;

/** A group in a template: `$1` or `${1}`. */
const GROUP = /\$(?:(\d{1,2})|\{(\d{1,2})\})/g;

/** Compiles rules, of which the first that matches a name counts. They run in linear time. */
export function mappingOf(rules: readonly MappingRule[]): Mapping {
  const compiled = rules.map((rule) => ({ rule, pattern: RE2JS.compile(sourceOf(rule)) }));
  return (name, kind) => {
    for (const { rule, pattern } of compiled) {
      if (rule.metricType !== undefined && rule.metricType !== kind) continue;
      const matcher = pattern.matcher(name);
      if (!matcher.find()) continue;
      if (rule.action === 'drop') return 'drop';
      const filled = (template: string) =>
        template.replace(GROUP, (_, a?: string, b?: string) => matcher.group(Number(a ?? b)) ?? '');
      return {
        name: filled(rule.name ?? name),
        labels: Object.fromEntries(
          Object.entries(rule.labels).map(([label, value]) => [label, filled(value)]),
        ),
        buckets: rule.buckets,
      };
    }
    return undefined;
  };
}

/** Returns the number of groups. @throws Error with what RE2 does not accept. */
export function groupCount(rule: Pick<MappingRule, 'match' | 'matchType'>): number {
  return RE2JS.compile(sourceOf(rule)).groupCount();
}

/** Returns the largest group that a template names. */
export function largestGroup(template: string): number {
  return Math.max(0, ...Array.from(template.matchAll(GROUP), ([, a, b]) => Number(a ?? b)));
}

/** A `*` of a glob matches within one part between dots; a regular expression matches anywhere. */
function sourceOf({ match, matchType }: Pick<MappingRule, 'match' | 'matchType'>): string {
  if (matchType === 'regex') return match;
  return `^${match.split('*').map(RE2JS.quote).join('([^.]*)')}$`;
}
