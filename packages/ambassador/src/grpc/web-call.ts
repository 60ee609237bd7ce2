import type { CanonicalRequest } from '../http/canonical-request.ts';
import { Base64Decoder } from './base64-decoder.ts';
import { FrameScanner, TOO_LARGE } from './frame-scanner.ts';

/** The reason not to forward a body: an HTTP status and a sentence. */
export interface BadBody {
  readonly status: number;
  readonly reason: string;
}

/** Turns the request of a gRPC-Web call into one of gRPC (PROTOCOL-WEB.md of grpc/grpc). */
export class WebCall {
  /** The content type of the call, and of its response. */
  readonly type: string;
  /** Fields of each response, names and values in turn. */
  readonly fields: readonly string[];
  readonly #base64: Base64Decoder | undefined;
  readonly #scanner: FrameScanner;

  /** @param fields those of CORS. @param largest the largest message, in bytes. */
  constructor(type: string, fields: readonly string[], largest: number) {
    this.type = type;
    this.fields = fields;
    this.#base64 = this.text ? new Base64Decoder() : undefined;
    this.#scanner = new FrameScanner(largest);
  }

  /** Whether bodies are base64. */
  get text(): boolean {
    return /^application\/grpc-web-text/i.test(this.type);
  }

  /** Returns the request as gRPC: with its content type, and of unknown length. */
  request(request: CanonicalRequest): CanonicalRequest {
    const { fields, extras } = request;
    const own: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]!.toLowerCase();
      if (name === 'content-type') own.push(fields[i]!, grpcType(this.type));
      else if (!DROPPED.has(name)) own.push(fields[i]!, fields[i + 1]!);
    }
    return { ...request, fields: own, contentLength: -1, extras: { ...extras, trailers: true } };
  }

  /** Returns a piece of the body as gRPC has it. */
  decode(piece: Buffer): Buffer | BadBody {
    const bytes = this.#base64 === undefined ? piece : this.#base64.decode(piece);
    if (bytes === undefined) return { status: 400, reason: 'the body is not base64' };
    const problem = this.#scanner.scan(bytes, 0, bytes.length);
    if (problem === undefined) return bytes;
    return { status: problem === TOO_LARGE ? 413 : 400, reason: problem };
  }

  /** Whether the body may end here. */
  get complete(): boolean {
    return this.#scanner.atBoundary && (this.#base64?.complete ?? true);
  }
}

/** Fields for the proxy alone. `Accept` names types that gRPC does not have. */
const DROPPED: ReadonlySet<string> = new Set(['x-grpc-web', 'accept']);

/** Whether a Content-Type is one of gRPC-Web. */
export function isWebType(type: string): boolean {
  return /^application\/grpc-web(?:-text)?(?:$|[+; \t])/i.test(type);
}

/** Returns the type of gRPC for one of gRPC-Web, with the same codec. */
function grpcType(type: string): string {
  return type.replace(/^application\/grpc-web(?:-text)?/i, 'application/grpc');
}
