import { FieldKind, fieldKind } from '../http/field-kind.ts';

/** Caches lower-case names, since upstreams repeat theirs. */
const lower = new Map<string, string>();
/** Bounds the cache. */
const MAX_NAMES = 1024;

/** Returns a field name in lower case. */
export function lowerCase(name: string): string {
  const known = lower.get(name);
  if (known !== undefined) return known;
  const made = name.toLowerCase();
  if (lower.size < MAX_NAMES && name.length < 64) lower.set(name, made);
  return made;
}

/**
 * Builds the field list of an HTTP/2 response: the status, and the canonical fields in lower case.
 * @param fields names and values in turn.
 */
export function http2Response(status: number, fields: readonly string[]): string[] {
  const list = [':status', String(status)];
  for (let i = 0; i < fields.length; i += 2) {
    const kind = fieldKind(fields[i]!);
    // TE has no meaning in a response, and HTTP/2 forbids other values than `trailers`.
    if (kind === FieldKind.te) continue;
    // node:http2 ends a 205 with its head, which a length would contradict.
    if (kind === FieldKind.contentLength && status === 205) continue;
    list.push(lowerCase(fields[i]!), fields[i + 1]!);
  }
  return list;
}

/** Groups fields by name as an object without a prototype, which node:http2 takes for trailers. */
export function asObject(fields: readonly string[]): Record<string, string | string[]> {
  const object: Record<string, string[]> = { __proto__: null } as never;
  for (let i = 0; i < fields.length; i += 2) {
    const name = lowerCase(fields[i]!);
    object[name] ??= [];
    object[name].push(fields[i + 1]!);
  }
  return object;
}
