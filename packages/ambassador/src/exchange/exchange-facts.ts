import type { GrpcCall } from '../grpc/call.ts';
import type { Forwarding, RequestIds } from '../http/canonical-request.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ExchangeRecord } from '../observe/exchange-record.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { identify } from './identifiers.ts';
import type { Runtime } from './runtime.ts';

/** Keeps the facts of the current request, of which logs, metrics and spans are made. */
export abstract class ExchangeFacts implements ExchangeRecord {
  /** The runtime of the listener, for the next request. */
  listener: Runtime;
  /** The runtime of the current request: of its route, or of the listener. */
  runtime: Runtime;
  head!: RequestHead;
  ids!: RequestIds;
  status = 0;
  flags = '';
  bytesIn = 0;
  bytesOut = 0;
  startedAt = 0;
  clientAddress = '';
  /** The gRPC call that the request is, if it is one. */
  protected call: GrpcCall | undefined;

  constructor(runtime: Runtime) {
    this.listener = this.runtime = runtime;
  }

  abstract get protocol(): string;

  abstract get endpoint(): Endpoint | undefined;

  get grpcStatus(): number | undefined {
    return this.call?.status;
  }

  /** Begins with a new request, and finds its route. @param bytesIn of its body so far. */
  protected beginFacts(head: RequestHead, forwarding: Forwarding, bytesIn: number): void {
    const { listener } = this;
    this.runtime = listener.routes?.find(head.host, head.target) ?? listener;
    this.head = head;
    this.ids = identify(head.fields, listener.sampling);
    this.startedAt = performance.now();
    this.status = 0;
    this.flags = '';
    this.bytesIn = bytesIn;
    this.bytesOut = 0;
    this.clientAddress = forwarding.clientAddress;
  }
}
