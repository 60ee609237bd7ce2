/** A rule that selects requests. */
export interface RouteRule {
  /** A host in lower case, `*.` and a domain for all hosts below it, or undefined for any. */
  readonly host: string | undefined;
  /** A path without a slash at its end; empty for all paths. */
  readonly prefix: string;
}

/**
 * Finds the route of a request. The order is that of the Gateway API: an exact host, then `*.`, then
 * any; within a host the longest prefix. A prefix matches complete path segments.
 */
export class RouteTable<T> {
  readonly #routes: readonly { readonly rule: RouteRule; readonly value: T }[];

  constructor(routes: readonly (readonly [RouteRule, T])[]) {
    this.#routes = routes
      .map(([rule, value]) => ({ rule, value }))
      .toSorted(
        (a, b) =>
          rank(b.rule) - rank(a.rule) ||
          (b.rule.host?.length ?? 0) - (a.rule.host?.length ?? 0) ||
          b.rule.prefix.length - a.rule.prefix.length,
      );
  }

  get values(): readonly T[] {
    return this.#routes.map(({ value }) => value);
  }

  /** @param host Host or `:authority`, with or without a port. @param target in origin-form. */
  find(host: string, target: string): T | undefined {
    let name: string | undefined;
    for (const { rule, value } of this.#routes) {
      if (!hasPrefix(target, rule.prefix)) continue;
      if (rule.host === undefined) return value;
      name ??= hostName(host);
      if (rule.host === name) return value;
      if (rule.host.startsWith('*.') && name.endsWith(rule.host.slice(1))) return value;
    }
    return undefined;
  }
}

function rank({ host }: RouteRule): number {
  if (host === undefined) return 0;
  return host.startsWith('*.') ? 1 : 2;
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

function hasPrefix(target: string, prefix: string): boolean {
  // All paths, and the asterisk of OPTIONS.
  if (prefix === '') return true;
  if (!target.startsWith(prefix)) return false;
  const next = target.charCodeAt(prefix.length);
  // The end, `/` or `?`.
  return Number.isNaN(next) || next === 47 || next === 63;
}

/** Removes a prefix that matched. */
export function withoutPrefix(target: string, prefix: string): string {
  const rest = target.slice(prefix.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Whether a path has a segment `.` or `..`, encoded or not: the app could read it as the path of
 * another route.
 */
export function hasDotSegment(target: string): boolean {
  const [path = ''] = target.split('?', 1);
  return /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\;]|%2f|%5c|$)/i.test(path);
}
