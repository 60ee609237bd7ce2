import type { RequestIds } from '../http/canonical-request.ts';
import { FieldKind } from '../http/field-kind.ts';
import type { Fields } from '../http/fields.ts';
import { randomText } from './random-text.ts';

/** Creates a traceparent (W3C Trace Context, version 00), sampled. */
const newTraceParent = randomText(`00-${'x'.repeat(32)}-${'x'.repeat(16)}-01`);

/** Creates a random UUID (RFC 9562 §5.4). */
const newRequestId = randomText('xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx');

/** Creates the id of a span. */
const newSpanId = randomText('x'.repeat(16));

/** Decides which requests have a span. */
export interface Sampling {
  /** The share of requests without a trace of their own, 0–1. */
  readonly ratio: number;
}

/** Returns the ids with a span of this request, if it is sampled. */
function withSpan(ids: RequestIds, given: boolean, { ratio }: Sampling): RequestIds {
  const { traceParent } = ids;
  if (!given && Math.random() >= ratio)
    return { ...ids, traceParent: `${traceParent.slice(0, 53)}00` };
  // The last bit of the flags says whether the client samples the trace.
  if (given && (Number.parseInt(traceParent.slice(53, 55), 16) & 1) === 0) return ids;
  const span = { parent: given ? traceParent.slice(36, 52) : undefined };
  return { ...ids, traceParent: `00-${traceParent.slice(3, 35)}-${newSpanId()}-01`, span };
}

/** Returns the client's ids if they are well-formed and occur once, otherwise new ones. */
export function identify(fields: Fields, sampling?: Sampling): RequestIds {
  let requestId: string | undefined;
  let traceParent: string | undefined;
  let requestIds = 0;
  let traceParents = 0;
  for (let i = 0; i < fields.kinds.length; i++) {
    if (fields.kinds[i] === FieldKind.requestId) {
      requestIds++;
      requestId = fields.values[i]!;
    } else if (fields.kinds[i] === FieldKind.traceParent) {
      traceParents++;
      traceParent = fields.values[i]!;
    }
  }
  const given = traceParents === 1 && isTraceParent(traceParent!);
  const ids = {
    requestId:
      requestIds === 1 && /^[\w.:+/=@-]{1,128}$/.test(requestId!) ? requestId! : newRequestId(),
    traceParent: given ? traceParent! : newTraceParent(),
  };
  return sampling === undefined ? ids : withSpan(ids, given, sampling);
}

function isTraceParent(text: string): boolean {
  return (
    /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text) &&
    !text.startsWith('ff') &&
    text.slice(3, 35) !== '0'.repeat(32) &&
    text.slice(36, 52) !== '0'.repeat(16)
  );
}
