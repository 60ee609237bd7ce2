import type { CanonicalRequest } from '../http/canonical-request.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { corsFields } from './cors.ts';
import { GrpcStatus, parseGrpcStatus, statusOfHttp } from './status.ts';
import { formatGrpcTimeout, MAX_TIMEOUT, parseGrpcTimeout } from './timeout.ts';
import { isWebType, WebCall } from './web-call.ts';

/** Decides about gRPC-Web requests. */
export interface WebPolicy {
  /** Whether they are translated. */
  readonly translate: boolean;
  /** The origins whose pages may read responses. */
  readonly origins: ReadonlySet<string>;
  /** The largest message, in bytes. */
  readonly largest: number;
}

/** Holds the facts of one gRPC call that the proxy uses. */
export class GrpcCall {
  readonly web: WebCall | undefined;
  /** Whether the client's deadline cannot be read. */
  readonly malformed: boolean;
  /** The code of the response, once it is known. */
  status: number | undefined;
  /** The time that the client asks for, in milliseconds. */
  readonly #asked: number | undefined;

  /** @param web the translation, if the client speaks gRPC-Web. */
  private constructor(timeouts: readonly string[], web: WebCall | undefined) {
    this.web = web;
    const [first] = timeouts;
    this.#asked = first === undefined ? undefined : parseGrpcTimeout(first);
    this.malformed = timeouts.length > 1 || (first !== undefined && this.#asked === undefined);
  }

  /** Returns the call that a POST is; undefined for any other. */
  static of(head: RequestHead, policy: WebPolicy): GrpcCall | undefined {
    const { names, values } = head.fields;
    let type = '';
    const timeouts: string[] = [];
    for (let i = 0; i < names.length; i++) {
      // Both names have twelve characters.
      if (names[i]!.length !== 12) continue;
      const name = names[i]!.toLowerCase();
      if (name === 'content-type') type = values[i]!;
      else if (name === 'grpc-timeout') timeouts.push(values[i]!);
    }
    if (isGrpcType(type)) return new GrpcCall(timeouts, undefined);
    if (!policy.translate || !isWebType(type)) return undefined;
    const cors = corsFields(head, policy.origins);
    return new GrpcCall(timeouts, new WebCall(type, cors, policy.largest));
  }

  /** The client's deadline in milliseconds, at most 24 hours; undefined if it has none. */
  get timeout(): number | undefined {
    return this.#asked === undefined ? undefined : Math.min(this.#asked, MAX_TIMEOUT);
  }

  /** Reads the code that a response may have in its head (Trailers-Only). */
  readHead({ fields, status }: ResponseHead): void {
    if (status !== 200) this.status = statusOfHttp(status);
    fields.names.forEach((name, i) => {
      if (isStatus(name)) this.status = parseGrpcStatus(fields.values[i]!);
    });
  }

  /** Reads the code at the end of a response. @param trailers names and values in turn. */
  readTrailers(trailers: readonly string[]): void {
    for (let i = 0; i < trailers.length; i += 2)
      if (isStatus(trailers[i]!)) this.status = parseGrpcStatus(trailers[i + 1]!);
    this.status ??= GrpcStatus.unknown;
  }

  /**
   * Returns the request with no more time than the proxy grants.
   * @param total the bound of the proxy in milliseconds; 0 for none.
   */
  bounded(request: CanonicalRequest, total: number): CanonicalRequest {
    const granted = Math.min(total || MAX_TIMEOUT, MAX_TIMEOUT);
    if (this.#asked === undefined || this.#asked <= granted) return request;
    const at = request.fields.findIndex((name, i) => i % 2 === 0 && /^grpc-timeout$/i.test(name));
    if (at === -1) return request;
    return { ...request, fields: request.fields.with(at + 1, formatGrpcTimeout(granted)) };
  }
}

/** Whether a field is the status, in any case. */
export function isStatus(name: string): boolean {
  return name.length === 11 && name.toLowerCase() === 'grpc-status';
}

/** Whether a Content-Type is of gRPC, which gRPC-Web is not. */
export function isGrpcType(type: string): boolean {
  return /^application\/grpc(?:$|[+; \t])/i.test(type);
}
