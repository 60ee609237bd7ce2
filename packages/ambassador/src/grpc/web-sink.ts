import type { ReplyOptions, ResponseSink } from '../exchange/response-sink.ts';
import type { ResponseFraming } from '../http/canonical-response.ts';
import { grpcTrailers } from '../http/local-reply.ts';
import { Framing, type ResponseHead } from '../http/response-head.ts';
import { trailerFields } from '../http/trailers.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import { isGrpcType, isStatus } from './call.ts';
import { FrameScanner } from './frame-scanner.ts';
import { GrpcStatus } from './status.ts';
import type { WebCall } from './web-call.ts';

/** The flag of the frame with the trailers. */
const TRAILERS = 0x80;
const NOTHING: readonly string[] = [];
const NO_STATUS = grpcTrailers(GrpcStatus.unknown, 'the response has no status');

/** Turns the response to a gRPC-Web call into one of gRPC-Web, in front of the sink of a lane. */
export class WebSink implements ResponseSink {
  readonly #call: WebCall;
  readonly #sink: ResponseSink;
  readonly #scanner = new FrameScanner(2 ** 32);
  /** Whether the response is one of gRPC with a body to come. */
  #translating = false;
  #invalid = false;
  /** Whether the head has the status. */
  #hasStatus = false;
  readonly #onInvalid: (reason: string) => void;

  /** @param onInvalid ends the exchange, because the upstream's response is not made of messages. */
  constructor(call: WebCall, sink: ResponseSink, onInvalid: (reason: string) => void) {
    this.#call = call;
    this.#sink = sink;
    this.#onInvalid = onInvalid;
  }

  /** Whether the response has stopped within a message. */
  get incomplete(): boolean {
    return this.#translating && !this.#scanner.atBoundary;
  }

  get protocol(): string {
    return this.#sink.protocol;
  }

  resumeBody(): void {
    this.#sink.resumeBody();
  }

  pauseBody(): void {
    this.#sink.pauseBody();
  }

  sendInformational(head: ResponseHead): void {
    this.#sink.sendInformational(head);
  }

  sendHead(head: ResponseHead, fields: readonly string[], framing: ResponseFraming): void {
    const own: string[] = [];
    let grpc = false;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]!.toLowerCase();
      if (name === 'content-type' && isGrpcType(fields[i + 1]!)) {
        grpc = true;
        own.push(fields[i]!, this.#call.type);
      } else own.push(fields[i]!, fields[i + 1]!);
      if (isStatus(name)) this.#hasStatus = true;
    }
    this.#translating = grpc && head.framing !== Framing.none;
    // The frame with the trailers makes it longer, and base64 too.
    const sent = this.#translating ? withoutLength(own) : own;
    const framed = this.#translating ? { ...framing, chunked: true } : framing;
    this.#sink.sendHead(head, [...sent, ...this.#call.fields], framed);
  }

  sendBodyPiece(lent: LentBytes, start: number, end: number): boolean {
    if (!this.#translating) return this.#sink.sendBodyPiece(lent, start, end);
    const problem = this.#scanner.scan(lent.bytes, start, end);
    if (problem !== undefined) {
      this.#invalid = true;
      this.#onInvalid(problem);
      return true;
    }
    return this.#call.text
      ? this.#sendText(lent.bytes.subarray(start, end))
      : this.#sink.sendBodyPiece(lent, start, end);
  }

  flush(): void {
    this.#sink.flush();
  }

  sendEnd(trailers: readonly string[]): void {
    if (this.#translating) {
      const known = this.#hasStatus || trailers.some((name, i) => i % 2 === 0 && isStatus(name));
      // Clients read trailers without a status as success.
      const frame = trailersFrame(known ? trailers : [...trailers, ...NO_STATUS]);
      if (this.#call.text) this.#sendText(frame);
      else sendOwn(this.#sink, frame);
    }
    this.#sink.sendEnd(NOTHING);
  }

  sendLocalReply(status: number, reason: string, options: ReplyOptions): void {
    const { type, fields } = this.#call;
    this.#sink.sendLocalReply(status, reason, { ...options, grpcType: type, fields });
  }

  discardHead(): boolean {
    return this.#sink.discardHead();
  }

  breakOff(trailers: readonly string[]): void {
    // Within a message a frame would be read as part of it.
    const between = !this.#invalid && this.#scanner.atBoundary;
    if (this.#translating && trailers.length > 0 && between) this.sendEnd(trailers);
    else this.#sink.breakOff(NOTHING);
  }

  mustClose(): boolean {
    return this.#sink.mustClose();
  }

  /** Sends bytes as base64 of their own: a message never waits for the bytes of the next one. */
  #sendText(bytes: Buffer): boolean {
    return sendOwn(this.#sink, Buffer.from(bytes.toString('base64'), 'latin1'));
  }
}

function sendOwn(sink: ResponseSink, bytes: Buffer): boolean {
  const lent = new OwnBytes(bytes);
  const more = sink.sendBodyPiece(lent, 0, bytes.length);
  lent.release();
  return more;
}

/** Builds the frame with the trailers, which are bounded as the head is. */
function trailersFrame(trailers: readonly string[]): Buffer {
  const fields = trailerFields(trailers);
  let text = '';
  for (let i = 0; i < fields.length; i += 2)
    text += `${fields[i]!.toLowerCase()}: ${fields[i + 1]}\r\n`;
  const frame = Buffer.alloc(5 + text.length);
  frame[0] = TRAILERS;
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5, 'latin1');
  return frame;
}

function withoutLength(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i]!.toLowerCase() !== 'content-length') kept.push(fields[i]!, fields[i + 1]!);
  return kept;
}
