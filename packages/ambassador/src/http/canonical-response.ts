import { FieldKind } from './field-kind.ts';
import { Framing, type ResponseHead } from './response-head.ts';

/** How the answer ends for the client: `close` where it takes no chunks (HTTP/1.0). */
export interface AnswerFraming {
  readonly chunked: boolean;
  readonly close: boolean;
}

/**
 * The one list of fields, names and values in turn, that an answer has in either lane: the
 * upstream's without what belongs to its connection, framing from what was parsed, then ours.
 */
export function canonicalFields(
  head: ResponseHead,
  requestId: string,
  framing: AnswerFraming,
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
  if (framing.chunked) fields.push('Transfer-Encoding', 'chunked');
  else if (head.contentLength !== -1) fields.push('Content-Length', String(head.contentLength));
  if (framing.close) fields.push('Connection', 'close');
  return fields;
}

/** Kinds that mean something in requests alone. */
const PASSED: ReadonlySet<number> = new Set([
  FieldKind.host,
  FieldKind.forwarded,
  FieldKind.forwardedFor,
  FieldKind.expect,
  FieldKind.te,
  FieldKind.traceParent,
  FieldKind.traceState,
]);

/** What most upstreams say: options that name no field which would pass. */
const OPTIONS: ReadonlySet<string> = new Set(['keep-alive', 'Keep-Alive', 'close', 'Close']);

/** The fields that the upstream's `Connection` names; undefined where it has none. */
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

/** Whether an answer's body goes out in chunks, and whether the connection ends with it. */
export function answerFraming(head: ResponseHead, http11: boolean, close: boolean): AnswerFraming {
  const unknownLength = head.framing === Framing.chunked || head.framing === Framing.close;
  return { chunked: unknownLength && http11, close: close || (unknownLength && !http11) };
}

/** The head as text, for lanes that write to the socket themselves. */
export function answerText(status: number, reason: string, fields: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${text}\r\n`;
}

/** An informational answer as text: its fields but those of the hop (RFC 9110 §15.2). */
export function informationalText({ status, reason, fields }: ResponseHead): string {
  const passed: string[] = [];
  fields.names.forEach((name, i) => {
    if (fields.kinds[i] === FieldKind.ordinary) passed.push(name, fields.values[i]!);
  });
  return answerText(status, reason, passed);
}
