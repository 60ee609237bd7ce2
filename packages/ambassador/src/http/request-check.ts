import { isMadeOf, parseLength, TOKEN, VALUE } from './characters.ts';
import { FieldKind, fieldKind } from './field-kind.ts';
import type { Fields } from './fields.ts';
import { MAX_METHOD, NO_METHOD } from './methods.ts';
import { isHost, type RequestHead } from './request-head.ts';

/** A request as node:http parsed it, not yet checked. */
export interface ParsedRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly maxFields: number;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** A request of the full lane. */
export interface CheckedRequest extends RequestHead {
  /** The protocol of a requested upgrade. */
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
  /** Whether the client accepts trailers (TE: trailers). */
  readonly trailers: boolean;
}

/** The reason for refusing a request: a status and a sentence. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

const bad = (reason: string, status = 400): Refusal => ({ status, reason });

/**
 * Checks a parsed request against RFC 9110 and 9112, and refuses anything that two parsers could
 * read in two ways.
 */
export function checkRequest(parsed: ParsedRequest): CheckedRequest | Refusal {
  const { method, rawHeaders, version } = parsed;
  if (method === 'CONNECT') return bad('CONNECT is not allowed', 405);
  if (method === NO_METHOD) return bad('PRI is not the method of a request');
  if (method.length > MAX_METHOD) return bad('the method is too long');
  if (version === '0.9') return bad('the request line has no HTTP version');
  if (version !== '1.1' && version !== '1.0') return bad('the HTTP version is not known', 505);
  if (rawHeaders.length > parsed.maxFields * 2) return bad('too many fields', 431);
  const fields: Fields = { names: [], values: [], kinds: [] };
  let hosts = 0;
  let named = '';
  const lengths: string[] = [];
  const encodings: string[] = [];
  const options: string[] = [];
  const upgrades: string[] = [];
  const expectations: string[] = [];
  let trailers = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    if (!isMadeOf(TOKEN, name)) return bad('a field name is not a token');
    if (value !== '' && !isMadeOf(VALUE, value))
      return bad('a field value has a control character');
    const kind = fieldKind(name);
    if (kind === FieldKind.host) {
      hosts++;
      named = value;
    } else if (kind === FieldKind.contentLength) lengths.push(value);
    else if (kind === FieldKind.transferEncoding) encodings.push(value.toLowerCase());
    else if (kind === FieldKind.connection) options.push(...listItems(value));
    else if (kind === FieldKind.upgrade) upgrades.push(value);
    else if (kind === FieldKind.expect) expectations.push(value.toLowerCase());
    else if (kind === FieldKind.te) trailers ||= listItems(value).includes('trailers');
    fields.names.push(name);
    fields.values.push(value);
    fields.kinds.push(kind);
  }
  if (hosts > 1) return bad('more than one Host');
  if (hosts === 0 && version === '1.1') return bad('Host is missing');
  const absolute = absoluteForm(parsed.target);
  // An empty Host belongs to a target without an authority (RFC 9112 §3.2), which has our default then.
  const unnamed = hosts === 0 || (named === '' && absolute === undefined);
  const host = unnamed ? (absolute?.authority ?? 'localhost') : named;
  if (!isHost(host)) return bad('Host is not a host');
  if (absolute !== undefined && !sameHost(absolute.authority, host, absolute.scheme))
    return bad('the request target and Host name different hosts');
  const target = originForm(method, parsed.target, absolute);
  if (target === undefined) return bad('the request target is not allowed');

  if (lengths.length > 1) return bad('more than one Content-Length');
  if (encodings.length > 1 || (encodings[0] ?? 'chunked') !== 'chunked')
    return bad('a transfer coding other than chunked');
  const chunked = encodings.length === 1;
  if (chunked && version === '1.0') return bad('Transfer-Encoding in HTTP/1.0');
  if (chunked && lengths.length > 0) return bad('Content-Length together with Transfer-Encoding');
  const contentLength = chunked ? -1 : lengths.length === 0 ? 0 : parseLength(lengths[0]!);
  if (contentLength === -1 && !chunked) return bad('Content-Length is not a number');
  if (options.some((option) => PROTECTED.has(fieldKind(option))))
    return bad('Connection names a field that it must not');
  if (expectations.length > 1 || (expectations[0] ?? '100-continue') !== '100-continue')
    return bad('the expectation is not known', 417);

  const upgrade = version === '1.1' && options.includes('upgrade') ? offered(upgrades) : undefined;
  // The parser cannot read both: what follows the head is either the body or the tunnel.
  if (upgrade !== undefined && contentLength !== 0) return bad('Upgrade with a body');
  return {
    method,
    target,
    host,
    fields: withoutNamed(fields, options),
    contentLength,
    keepAlive: !options.includes('close') && (version === '1.1' || options.includes('keep-alive')),
    upgrade,
    expectContinue: expectations.length === 1 && version === '1.1' && contentLength !== 0,
    trailers,
  };
}

/** Fields for framing or routing: removing them by `Connection` would change the request. */
const PROTECTED: ReadonlySet<FieldKind> = new Set<FieldKind>([
  FieldKind.host,
  FieldKind.contentLength,
  FieldKind.transferEncoding,
]);

/**
 * Returns the protocol of an Upgrade that the ambassador takes up if the upstream does: a single one
 * that is not HTTP or TLS. All others are ignored, as RFC 9110 §7.8 allows: most clients that offer
 * `h2c` send it with every request.
 */
export function offered(upgrades: readonly string[]): string | undefined {
  const [protocol = ''] = upgrades;
  if (upgrades.length !== 1 || !/^[\w.+-]+(\/[\w.+-]+)?$/.test(protocol)) return undefined;
  return /^(h2c?|http|tls)(\/|$)/i.test(protocol) ? undefined : protocol;
}

function listItems(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Removes the fields that `Connection` names (RFC 9110 §7.6.1), before ours are added. */
function withoutNamed(fields: Fields, options: readonly string[]): Fields {
  if (options.length === 0) return fields;
  const named = new Set(options.filter((option) => !KNOWN_OPTIONS.has(option)));
  if (named.size === 0) return fields;
  const kept: Fields = { names: [], values: [], kinds: [] };
  fields.names.forEach((name, i) => {
    if (named.has(name.toLowerCase())) return;
    kept.names.push(name);
    kept.values.push(fields.values[i]!);
    kept.kinds.push(fields.kinds[i]!);
  });
  return kept;
}

const KNOWN_OPTIONS: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'te']);

/** A target in absolute-form (RFC 9112 §3.2.2). */
interface AbsoluteForm {
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** Empty if there is neither a path nor a query. */
  readonly path: string;
}

function absoluteForm(target: string): AbsoluteForm | undefined {
  const match = /^http(s?):\/\/([^/?]+)(.*)$/i.exec(target);
  if (!match) return undefined;
  const rest = match[3]!;
  return {
    authority: match[2]!,
    scheme: match[1] === '' ? 'http' : 'https',
    path: rest === '' || rest.startsWith('/') ? rest : `/${rest}`,
  };
}

/** Whether two authorities are the same host, with or without the default port of `scheme`. */
export function sameHost(one: string, two: string, scheme: 'http' | 'https'): boolean {
  const defaultPort = scheme === 'http' ? ':80' : ':443';
  const [a, b] = [one, two].map((text) => {
    const lower = text.toLowerCase();
    return lower.endsWith(defaultPort) ? lower.slice(0, -defaultPort.length) : lower;
  });
  return a === b;
}

/** Returns the target for the upstream: origin-form, or `*` of OPTIONS (RFC 9112 §3.2). */
function originForm(
  method: string,
  target: string,
  absolute: AbsoluteForm | undefined,
): string | undefined {
  if (target === '*') return method === 'OPTIONS' ? target : undefined;
  // The asterisk in absolute-form (§3.2.4).
  if (absolute?.path === '' && method === 'OPTIONS') return '*';
  if (absolute?.path === '') return '/';
  const path = absolute?.path ?? target;
  return path.startsWith('/') && isMadeOf(TARGET_LENIENT, path) ? path : undefined;
}

/** Visible ASCII without `#`: some clients send unescaped braces and quotes. */
const TARGET_LENIENT: Uint8Array = new Uint8Array(256).map((_, code) =>
  code > 0x20 && code < 0x7f && code !== 0x23 ? 1 : 0,
);
