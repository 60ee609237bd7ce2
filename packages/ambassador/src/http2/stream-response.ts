import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import { FieldKind } from '../http/field-kind.ts';
import { type LocalReplyOptions, localReply } from '../http/local-reply.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { SMALL } from '../http/small.ts';
import { trailerFields } from '../http/trailers.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import { RetainedBytes } from '../memory/retained-bytes.ts';
import { PIECE, WaitingBytes } from '../memory/waiting-bytes.ts';
import { asObject, http2Response } from './response-fields.ts';

/** The options of a response, with one that the types lack. */
type RespondOptions = ServerStreamResponseOptions & { readonly sendDate: boolean };
const PLAIN: RespondOptions = { sendDate: false };
const ENDING: RespondOptions = { ...PLAIN, endStream: true };
const WITH_TRAILERS: RespondOptions = { ...PLAIN, waitForTrailers: true };
const NOTHING: readonly string[] = [];

/** Writes the response of an HTTP/2 stream to its client. */
export class StreamResponse {
  /** Whether the request is a HEAD. */
  headOnly = false;
  /** Whether the head that was sent lets trailers follow. */
  takesTrailers = false;
  readonly #stream: ServerHttp2Stream;
  readonly #exchange: { resume(): void };
  /** Bytes of the body that wait for the client. */
  readonly #waiting: WaitingBytes;
  /** Most responses are too small to retain anything. */
  #retained: RetainedBytes | undefined;
  #blocked = false;
  /** Pieces of the body that wait for the client. */
  #pieces = 0;
  #trailers: readonly string[] = NOTHING;
  /** The head, while it waits for its body, and whether trailers may follow. */
  #head: { readonly list: string[]; readonly trailers: boolean } | undefined;
  /** Whether the response has no body by its method or status. */
  #bodiless = false;

  /** @param exchange is resumed when the client takes more of the body. */
  constructor(stream: ServerHttp2Stream, memory: MemoryBudget, exchange: { resume(): void }) {
    this.#stream = stream;
    this.#exchange = exchange;
    this.#waiting = new WaitingBytes(memory);
  }

  informational(head: ResponseHead): void {
    const { fields } = head;
    const passed = http2Response(
      head.status,
      fields.names.flatMap((name, i) =>
        fields.kinds[i] === FieldKind.ordinary ? [name, fields.values[i]!] : [],
      ),
    );
    if (!this.#stream.closed) this.#stream.additionalHeaders(asObject(passed) as never);
  }

  /**
   * Prepares the head, which waits for the start of its body.
   * @param fields names and values in turn. @param trailers whether they may follow.
   */
  begin(status: number, fields: readonly string[], trailers: boolean): void {
    this.#bodiless = this.#isBodiless(status);
    this.#head = { list: http2Response(status, fields), trailers };
  }

  /** Writes lent bytes of the body; returns false if no more should be written for now. */
  write(lent: LentBytes, start: number, end: number): boolean {
    const stream = this.#stream;
    if (this.#bodiless || !this.#respond(false)) return true;
    const size = end - start;
    this.#pieces++;
    if (size <= SMALL) {
      const copy = Buffer.allocUnsafe(size);
      lent.bytes.copy(copy, 0, start, end);
      stream.write(copy, this.#onWritten);
    } else {
      this.#retained ??= new RetainedBytes();
      const release = this.#retained.retain(lent, () => stream.destroyed);
      stream.write(lent.bytes.subarray(start, end), () => {
        release();
        this.#onWritten();
      });
    }
    this.#blocked = this.#count() > SMALL;
    return !this.#blocked;
  }

  /** Sends a head that waits. */
  flush(): void {
    this.#respond(false);
  }

  /** Discards a head that was not sent yet; false if it was. */
  discardHead(): boolean {
    const unsent = this.#head !== undefined;
    this.#head = undefined;
    return unsent;
  }

  /** Ends the response; false if its stream has closed. @param trailers names and values in turn. */
  end(trailers: readonly string[]): boolean {
    this.#trailers = trailerFields(trailers);
    const waits = this.#head?.trailers && this.#trailers.length > 0;
    if (!this.#respond(!waits)) return false;
    this.#finish();
    return true;
  }

  /** Sends a local reply; false if the stream has closed. */
  reply(status: number, reason: string, options: LocalReplyOptions): boolean {
    const reply = localReply(status, reason, options);
    this.#head = { list: http2Response(reply.status, reply.fields), trailers: false };
    const bodiless = reply.body === '' || this.#isBodiless(status);
    if (!this.#respond(bodiless)) return false;
    if (!bodiless) this.#stream.write(reply.body, 'latin1');
    this.#finish();
    return true;
  }

  /** Whether trailers are still to be sent, after the response has ended. */
  get hasTrailers(): boolean {
    return this.#trailers.length > 0;
  }

  sendTrailers(): void {
    this.#stream.sendTrailers(asObject(this.#trailers));
  }

  /** The stream has closed. */
  onClose(): void {
    this.#retained?.abandonAll();
    this.#waiting.set(0);
  }

  /** Sends a head that waits; returns whether the body may follow. */
  #respond(endStream: boolean): boolean {
    const head = this.#head;
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return false;
    if (head === undefined) return true;
    this.#head = undefined;
    const ends = endStream || this.#bodiless;
    this.takesTrailers = head.trailers && !ends;
    stream.respond(head.list, ends ? ENDING : head.trailers ? WITH_TRAILERS : PLAIN);
    return true;
  }

  #finish() {
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  /** Counts what waits for the client; returns its memory in bytes. */
  #count(): number {
    const waiting = this.#stream.closed ? 0 : this.#stream.writableLength + PIECE * this.#pieces;
    this.#waiting.set(waiting);
    return waiting;
  }

  readonly #onWritten = (): void => {
    this.#pieces--;
    const waiting = this.#count();
    if (!this.#blocked || waiting > SMALL / 2) return;
    this.#blocked = false;
    this.#exchange.resume();
  };

  #isBodiless(status: number): boolean {
    return this.headOnly || status === 204 || status === 205 || status === 304;
  }
}
