import type { RequestIds } from '../http/canonical-request.ts';
import { FieldKind } from '../http/field-kind.ts';
import type { Fields } from '../http/fields.ts';
import { randomText } from './random-text.ts';

/** Creates a traceparent (W3C Trace Context, version 00), sampled. */
const newTraceParent = randomText(`00-${'x'.repeat(32)}-${'x'.repeat(16)}-01`);

/** Creates a random UUID (RFC 9562 §5.4). */
const newRequestId = randomText('xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx');

/** Returns the client's ids if they are well-formed and occur once, otherwise new ones. */
export function identify(fields: Fields): RequestIds {
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
  return {
    requestId:
      requestIds === 1 && /^[\w.:+/=@-]{1,128}$/.test(requestId!) ? requestId! : newRequestId(),
    traceParent:
      traceParents === 1 && isTraceParent(traceParent!) ? traceParent! : newTraceParent(),
  };
}

function isTraceParent(text: string): boolean {
  return (
    /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text) &&
    !text.startsWith('ff') &&
    text.slice(3, 35) !== '0'.repeat(32) &&
    text.slice(36, 52) !== '0'.repeat(16)
  );
}
