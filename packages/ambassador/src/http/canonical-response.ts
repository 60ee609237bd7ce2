import { FieldKind } from './field-kind.ts';
import { offered } from './request-check.ts';
import { Framing, type ResponseHead } from './response-head.ts';

/** The framing of a response in HTTP/1.1; `close` if the connection ends with it. */
export interface ResponseFraming {
  readonly chunked: boolean;
  readonly close: boolean;
  /** Whether the client must be notified that the connection stays, as in HTTP/1.0. */
  readonly keepAlive: boolean;
  /** The protocol that the upstream requires with a 426 (RFC 9110 §15.5.22). */
  readonly upgrade?: string | undefined;
}

/**
 * Builds the one list of fields, names and values in turn, that a response has in every lane: the
 * upstream's without those of its connection, the parsed length, and the proxy's own.
 */
export function canonicalResponseFields(
  head: ResponseHead,
  requestId: string,
  framing: ResponseFraming,
): string[] {
  const { names, values, kinds } = head.fields;
  const named = connectionOptions(head);
  const fields: string[] = [];
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i]!;
    if (kind !== FieldKind.ordinary && !PASSED.has(kind)) continue;
    if (named?.has(names[i]!.toLowerCase())) continue;
    fields.push(names[i]!, values[i]!);
  }
  fields.push('X-Request-Id', requestId);
  // A 204 has no Content-Length (RFC 9110 §8.6).
  if (!framing.chunked && head.contentLength !== -1 && head.status !== 204)
    fields.push('Content-Length', String(head.contentLength));
  return fields;
}

/** Adds the fields that only HTTP/1.1 needs. */
export function withFraming(fields: readonly string[], framing: ResponseFraming): string[] {
  const all = [...fields];
  if (framing.chunked) all.push('Transfer-Encoding', 'chunked');
  if (framing.upgrade !== undefined) all.push('Connection', 'upgrade', 'Upgrade', framing.upgrade);
  if (framing.close) all.push('Connection', 'close');
  else if (framing.keepAlive) all.push('Connection', 'keep-alive');
  return all;
}

/** Kinds that have a meaning only in requests. */
const PASSED: ReadonlySet<FieldKind> = new Set<FieldKind>([
  FieldKind.host,
  FieldKind.forwarded,
  FieldKind.forwardedFor,
  FieldKind.expect,
  FieldKind.te,
  FieldKind.traceParent,
  FieldKind.traceState,
  FieldKind.identity,
  FieldKind.via,
  FieldKind.maxForwards,
  FieldKind.alias,
]);

/** The usual options, which name no field that would pass. */
const OPTIONS: ReadonlySet<string> = new Set(['keep-alive', 'Keep-Alive', 'close', 'Close']);

/** Returns the fields that the upstream's `Connection` names, if any. */
function connectionOptions({ fields }: ResponseHead): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < fields.kinds.length; i++) {
    if (fields.kinds[i] !== FieldKind.connection || OPTIONS.has(fields.values[i]!)) continue;
    for (const item of fields.values[i]!.toLowerCase().split(',')) {
      named ??= new Set();
      named.add(item.trim());
    }
  }
  return named;
}

/** Decides whether a body is sent in chunks, and whether the connection ends with it. */
export function responseFraming(
  head: ResponseHead,
  http11: boolean,
  close: boolean,
): ResponseFraming {
  const unknownLength = head.framing === Framing.chunked || head.framing === Framing.close;
  return {
    chunked: unknownLength && http11,
    close: close || (unknownLength && !http11),
    keepAlive: !http11,
    upgrade: head.status === 426 && http11 ? requiredUpgrade(head) : undefined,
  };
}

/** Returns the protocol that a response asks for, if the ambassador takes it up. */
function requiredUpgrade({ fields: { kinds, values } }: ResponseHead): string | undefined {
  return offered(values.filter((_, i) => kinds[i] === FieldKind.upgrade));
}

/** Writes a response head in HTTP/1.1. */
export function responseText(status: number, reason: string, fields: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${text}\r\n`;
}

/** Writes an informational response without the fields of the hop (RFC 9110 §15.2). */
export function informationalText({ status, reason, fields }: ResponseHead): string {
  const passed: string[] = [];
  // As node:http writes it.
  if (status === 100) return responseText(status, 'Continue', passed);
  fields.names.forEach((name, i) => {
    if (fields.kinds[i] === FieldKind.ordinary) passed.push(name, fields.values[i]!);
  });
  return responseText(status, reason, passed);
}
