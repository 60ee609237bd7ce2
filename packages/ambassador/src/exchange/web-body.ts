import type { BadBody, WebCall } from '../grpc/web-call.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';

const INCOMPLETE: BadBody = { status: 400, reason: 'the body ends within a message' };

/**
 * Translates what arrived of a gRPC-Web body with its head, which is taken over.
 * @param complete whether that is all. @returns the body as gRPC has it, or why it is refused.
 */
export function firstOfWeb(
  web: WebCall,
  first: LentBytes | undefined,
  complete: boolean,
): LentBytes | BadBody | undefined {
  const body = first && pieceOfWeb(web, first);
  const cut = complete && (body === undefined || 'bytes' in body) ? endOfWeb(web) : undefined;
  if (cut !== undefined && body !== undefined && 'bytes' in body) body.release();
  return cut ?? body;
}

/** Translates a piece, which is taken over; undefined if it does not complete anything yet. */
export function pieceOfWeb(web: WebCall, piece: LentBytes): LentBytes | BadBody | undefined {
  const bytes = web.decode(piece.bytes);
  if (bytes === piece.bytes) return piece;
  piece.release();
  if (!Buffer.isBuffer(bytes)) return bytes;
  return bytes.length === 0 ? undefined : new OwnBytes(bytes);
}

/** Returns why a body must not end here, if it must not. */
export function endOfWeb(web: WebCall): BadBody | undefined {
  return web.complete ? undefined : INCOMPLETE;
}
