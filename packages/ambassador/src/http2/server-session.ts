import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { forwardingOf } from '../exchange/forwarding.ts';
import type { Runtime } from '../exchange/runtime.ts';
import { isGrpcType } from '../grpc/call.ts';
import { statusOfHttp } from '../grpc/status.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import { LINGER } from '../http/linger.ts';
import { LiveList } from '../memory/live-list.ts';
import type { Watched } from '../time/clock.ts';
import { limitControl } from './control-limit.ts';
import { FLAG_END_STREAM } from './error-codes.ts';
import { keepNativeOnError } from './keep-native.ts';
import { checkHttp2Request } from './request-head.ts';
import { Http2Request } from './server-request.ts';
import { limits } from './session-options.ts';

/** The greatest age of a session, in milliseconds; then clients connect again, without a failure. */
const MAX_AGE = 3_600_000;
/** A last stream id that lets all streams on the way pass (RFC 9113 §6.8). */
const ANY_STREAM = 2 ** 31 - 1;

/** Serves one client's HTTP/2 connection. */
export class ServerSession implements Watched {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #host: { readonly runtime: Runtime };
  readonly #openedAt: number;
  #forwarding: Forwarding;
  /** The runtime that the forwarding facts are of. */
  #runtime: Runtime;
  readonly #requests = new LiveList<Http2Request>();
  #idleSince: number;
  /** Whether the client's SETTINGS, the end of its preface, have arrived. */
  #greeted = false;
  /** The time by which a session without streams must be closed; 0 before. */
  #closeBy = 0;

  /** Takes over a socket, with bytes that were read and not used. */
  constructor(
    socket: Socket,
    unread: Buffer,
    host: { readonly runtime: Runtime },
    onClosed: (session: ServerSession) => void,
  ) {
    const { runtime } = host;
    this.#socket = socket;
    this.#host = host;
    this.#runtime = runtime;
    this.#forwarding = forwardingOf(socket, runtime, true);
    this.#openedAt = this.#idleSince = runtime.clock.now;
    // A flowing socket would drop them.
    socket.pause();
    if (unread.length > 0) socket.unshift(unread);
    const session = http2.performServerHandshake(socket, limits(runtime));
    this.#session = session;
    session.on('error', () => {});
    keepNativeOnError(session);
    session.on('stream', (stream, _headers, flags, raw) => this.#serve(stream, flags, raw));
    limitControl(session);
    session.once('remoteSettings', () => {
      this.#greeted = true;
    });
    session.once('close', () => {
      runtime.clock.unwatch(this);
      onClosed(this);
    });
    runtime.clock.watch(this);
  }

  /** The time when its last stream ended, in milliseconds of the clock; undefined while it has any. */
  get idleSince(): number | undefined {
    return this.#requests.size === 0 ? this.#idleSince : undefined;
  }

  /** Asks the client to send new requests elsewhere, and serves those that are on their way. */
  drain(): void {
    if (!this.#session.destroyed) this.#session.goaway(0, ANY_STREAM);
  }

  /** Accepts no more streams, and closes when the last one has ended. */
  close(): void {
    if (!this.#session.closed) this.#session.close();
  }

  /** Ends the gRPC calls, of which some may be streams without an end. */
  stopCalls(): void {
    this.#requests.visit((request) => request.stop());
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  check(now: number): void {
    this.#requests.visit((request) => request.check(now));
    const { headers, keepAlive } = this.#host.runtime.timeouts;
    if (!this.#greeted && now - this.#openedAt > headers) this.destroy();
    else if (this.#requests.size > 0) {
      if (now - this.#openedAt > MAX_AGE) this.close();
    } else if (this.#closeBy !== 0) {
      // A client that does not read never gets the GOAWAY.
      if (now > this.#closeBy) this.destroy();
    } else if (this.#session.closed || now - this.#idleSince > keepAlive) {
      this.#closeBy = now + LINGER;
      this.close();
    }
  }

  #serve(stream: ServerHttp2Stream, flags: number, raw: readonly string[]) {
    const { runtime } = this.#host;
    if (runtime !== this.#runtime) {
      this.#runtime = runtime;
      this.#forwarding = forwardingOf(this.#socket, runtime, true);
    }
    const ended = (flags & FLAG_END_STREAM) !== 0;
    const request = new Http2Request(stream, runtime, this.#onClosed);
    this.#requests.add(request);
    const head = checkHttp2Request(raw, ended, runtime);
    if ('reason' in head) {
      runtime.observer.refused('', head.status);
      const grpcStatus = isCall(raw) ? statusOfHttp(head.status) : undefined;
      request.refuse(head.status, head.reason, { grpcStatus });
    } else if (this.#isMisdirected(head.host)) {
      runtime.observer.refused(head.method, 421);
      request.refuse(421, 'the certificate of the client was given for another host');
    } else request.start(head, this.#forwarding, ended);
  }

  readonly #onClosed = (request: Http2Request): void => {
    this.#requests.delete(request);
    this.#idleSince = this.#host.runtime.clock.now;
  };

  /** Whether the host is not the one of the TLS handshake, which the client's certificate was for. */
  #isMisdirected(host: string): boolean {
    if (!this.#runtime.verifiesClients || !(this.#socket instanceof TLSSocket)) return false;
    const { servername } = this.#socket as TLSSocket & { servername?: string | false };
    return !!servername && host.replace(/:\d+$/, '').toLowerCase() !== servername.toLowerCase();
  }
}

/** Whether a request that was not understood would be a gRPC call. */
function isCall(raw: readonly string[]): boolean {
  return raw.some((name, i) => i % 2 === 0 && name === 'content-type' && isGrpcType(raw[i + 1]!));
}
