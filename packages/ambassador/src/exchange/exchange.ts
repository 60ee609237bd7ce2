import { GrpcCall } from '../grpc/call.ts';
import { GrpcStatus } from '../grpc/status.ts';
import type { WebCall } from '../grpc/web-call.ts';
import {
  canonicalRequest,
  type Forwarding,
  type RequestExtras,
} from '../http/canonical-request.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';
import type { Watched } from '../time/clock.ts';
import { type Refused, refusal } from './admission.ts';
import { ExchangeResponse, NOTHING } from './exchange-response.ts';
import { NEVER } from './progress.ts';
import { isIdempotent } from './retry.ts';
import { endOfWeb, firstOfWeb, pieceOfWeb } from './web-body.ts';

/**
 * Carries one request and its response between a lane and the tries. A lane creates one for each
 * connection or request and may start it again once it has ended.
 */
export class Exchange extends ExchangeResponse implements Watched {
  /**
   * Starts an exchange.
   * @param firstBody the body, or the part that arrived with the head; the exchange releases it.
   */
  start(
    head: RequestHead,
    forwarding: Forwarding,
    firstBody: LentBytes | undefined,
    extras?: RequestExtras,
    http11 = true,
  ): void {
    this.beginFacts(head, forwarding, firstBody === undefined ? 0 : firstBody.bytes.length);
    const { listener, runtime, startedAt } = this;
    const call = this.#beginCall(http11);
    this.beginResponse(http11, call?.web);
    const idempotent = runtime.idempotent || isIdempotent(head.method);
    const upgrades = extras?.upgrade !== undefined;
    this.tries.reset(runtime, startedAt, upgrades, idempotent);
    this.flow.begin();
    this.progress.begin(startedAt);
    runtime.observer.begin();
    const refused =
      refusal({ head, forwarding, extras, listener, runtime }, startedAt) ??
      (call?.malformed ? MALFORMED_TIMEOUT : undefined);
    if (refused !== undefined) {
      firstBody?.release();
      this.replyLocally(refused.status, refused.reason, refused.flag, refused);
      return;
    }
    let request = canonicalRequest(head, forwarding, runtime, this.ids, extras);
    const { total } = runtime.timeouts;
    if (call !== undefined) request = call.bounded(request, total);
    // A stream that an HTTP/2 upstream refuses may be sent again whatever its method is.
    const repeatable = (idempotent || runtime.cluster.maySpeakHttp2) && !upgrades;
    if (call?.web) {
      request = call.web.request(request);
      if (!this.#beginWebBody(call.web, firstBody, repeatable)) return;
    } else this.body.begin(head.contentLength, firstBody, repeatable);
    this.progress.deadline = startedAt + Math.min(total || NEVER, call?.timeout ?? NEVER);
    const size = head.contentLength;
    if (size === -1 || size > this.bytesIn) this.flow.join(runtime.memory);
    this.tries.start(request, call, startedAt);
  }

  /** Finds out whether the request is a gRPC call. */
  #beginCall(http11: boolean): GrpcCall | undefined {
    const { head, runtime } = this;
    this.call =
      head.method === 'POST'
        ? GrpcCall.of(head, {
            translate: runtime.grpcWeb && http11,
            origins: runtime.grpcWebOrigins,
            largest: runtime.maxBody,
          })
        : undefined;
    return this.call;
  }

  /** Begins the body of a gRPC-Web call; false if it is refused at once. */
  #beginWebBody(web: WebCall, firstBody: LentBytes | undefined, repeatable: boolean): boolean {
    const complete = this.head.contentLength === this.bytesIn;
    const first = firstOfWeb(web, firstBody, complete);
    if (first !== undefined && 'status' in first) {
      this.replyLocally(first.status, first.reason, '');
      return false;
    }
    this.body.begin(-1, first, repeatable);
    if (complete) this.body.end(NOTHING, undefined);
    return true;
  }

  /** Sends a piece of the body, and releases it afterwards; false asks for `pauseBody`. */
  sendBody(piece: LentBytes): boolean {
    if (!this.tries.connected && !this.active) {
      piece.release();
      return true;
    }
    this.bytesIn += piece.bytes.length;
    this.progress.lastActivity = this.runtime.clock.now;
    if (this.progress.tunnel) return this.flow.requestTaken(this.tries.sendTunnel(piece));
    if (this.head.contentLength === -1 && this.bytesIn > this.runtime.maxBody) {
      piece.release();
      this.onFailed(413, 'the body is larger than allowed', '');
      return true;
    }
    const web = this.call?.web;
    const own = web === undefined ? piece : pieceOfWeb(web, piece);
    if (own === undefined) return this.flow.readsRequest;
    if ('status' in own) {
      this.onFailed(own.status, own.reason, '');
      return true;
    }
    return this.flow.requestTaken(this.tries.sendBody(own));
  }

  /** The body is complete. */
  endBody(trailers: readonly string[]): void {
    if (this.progress.tunnel) this.tries.endTunnel();
    else if (this.active) {
      const cut = this.call?.web && endOfWeb(this.call.web);
      if (cut !== undefined) {
        this.onFailed(cut.status, cut.reason, '');
        return;
      }
      this.tries.endBody(this.call?.web ? NOTHING : trailers);
      this.progress.since = this.runtime.clock.now;
    }
  }

  /** Ends the exchange because the client went away. */
  cancel(): void {
    if (!this.active) return;
    this.flags = this.progress.tunnel ? '' : 'DC';
    this.tries.cancel(undefined);
    if (this.status === 0) this.status = 499;
    if (this.call) this.call.status = GrpcStatus.cancelled;
    this.end();
  }

  /** Ends a gRPC call, which may be a stream without an end, because the proxy stops. */
  stop(): void {
    if (this.active && this.call) this.onFailed(503, 'the proxy stops', '');
  }

  /** Ends it because its body takes up memory that is exhausted. */
  shed(): void {
    if (this.active) this.onFailed(503, 'the body waits in too many pieces', 'OM');
  }

  check(now: number): void {
    if (!this.active) return;
    this.tries.measure();
    const facts = {
      requestSent: this.tries.requestSent,
      bounded: this.call?.timeout !== undefined,
      held: this.flow.held,
    };
    const expired = this.progress.expired(now, facts, this.runtime.timeouts);
    if (expired !== undefined) this.onFailed(expired.status, expired.reason, expired.flag);
  }
}

const MALFORMED_TIMEOUT: Refused = {
  status: 400,
  reason: 'grpc-timeout is malformed',
  flag: '',
};
