import { foldedName } from './folded-name.ts';
import { FORWARDED, FORWARDED_PREFIXES, IDENTITY, IDENTITY_PREFIXES } from './forwarded-fields.ts';

/** The kinds of fields that a proxy must understand; all other fields pass unchanged. */
export const FieldKind = {
  ordinary: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  te: 7,
  /** Keep-Alive, Proxy-Connection, HTTP2-Settings: between two hops only. */
  hop: 8,
  /** Facts about the client that a trusted proxy in front may give. */
  forwarded: 9,
  forwardedFor: 10,
  requestId: 11,
  traceParent: 12,
  traceState: 13,
  /** Who the client is by its certificate. */
  identity: 14,
  via: 15,
  maxForwards: 16,
  /** A spelling that CGI, WSGI, Rack and PHP read as one of the fields above: never passed on. */
  alias: 17,
} as const;

export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

const KINDS: ReadonlyMap<string, FieldKind> = new Map([
  ['host', FieldKind.host],
  ['content-length', FieldKind.contentLength],
  ['transfer-encoding', FieldKind.transferEncoding],
  ['connection', FieldKind.connection],
  ['upgrade', FieldKind.upgrade],
  ['expect', FieldKind.expect],
  ['te', FieldKind.te],
  ['keep-alive', FieldKind.hop],
  ['proxy-connection', FieldKind.hop],
  ['http2-settings', FieldKind.hop],
  ...FORWARDED.map((name) => [name, FieldKind.forwarded] as const),
  ...IDENTITY.map((name) => [name, FieldKind.identity] as const),
  ['x-forwarded-for', FieldKind.forwardedFor],
  ['x-request-id', FieldKind.requestId],
  ['traceparent', FieldKind.traceParent],
  ['tracestate', FieldKind.traceState],
  ['via', FieldKind.via],
  ['max-forwards', FieldKind.maxForwards],
]);

/** Caches kinds by the name as written, to avoid a lower-case copy of the usual names. */
const known = new Map<string, FieldKind>();
/** Bounds the cache, since clients choose names. */
const MAX_KNOWN = 1024;

/** Returns the kind of a name in the real spelling. */
function kindOf(name: string): FieldKind {
  const kind = KINDS.get(name);
  if (kind !== undefined) return kind;
  if (FORWARDED_PREFIXES.some((prefix) => name.startsWith(prefix))) return FieldKind.forwarded;
  if (IDENTITY_PREFIXES.some((prefix) => name.startsWith(prefix))) return FieldKind.identity;
  return FieldKind.ordinary;
}

/** Returns the kind of a field by its name, in any case. */
export function fieldKind(name: string): FieldKind {
  const found = known.get(name);
  if (found !== undefined) return found;
  const folded = foldedName(name);
  const real = kindOf(folded);
  const kind =
    real === FieldKind.ordinary || folded === name.toLowerCase() ? real : FieldKind.alias;
  if (known.size < MAX_KNOWN && name.length < 32) known.set(name, kind);
  return kind;
}
