import type { RequestIds } from '../http/canonical-request.ts';
import type { RequestHead } from '../http/request-head.ts';

/** The facts of one exchange that metrics, logs and traces are made of. */
export interface ExchangeRecord {
  /** The client's protocol: HTTP/1.1 or HTTP/2.0. */
  readonly protocol: string;
  readonly head: RequestHead;
  readonly ids: RequestIds;
  /** 499 if the client went away before there was a status. */
  readonly status: number;
  /** The code of a gRPC call; undefined for other requests. */
  readonly grpcStatus: number | undefined;
  /** Envoy-style: UF, UT, UO, UH, DC, RL; empty if all went well. */
  readonly flags: string;
  /** Bytes of the request's body. */
  readonly bytesIn: number;
  /** Bytes of the response's body. */
  readonly bytesOut: number;
  /** In milliseconds of `performance.now()`. */
  readonly startedAt: number;
  readonly clientAddress: string;
  /** The endpoint that was tried last. */
  readonly endpoint: { readonly name: string } | undefined;
}
