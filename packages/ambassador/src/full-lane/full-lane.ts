import http from 'node:http';
import type { Socket } from 'node:net';
import { forwardingOf } from '../exchange/forwarding.ts';
import { LINGER } from '../http/linger.ts';
import { localReplyText } from '../http/local-reply.ts';
import { checkRequest, offered } from '../http/request-check.ts';
import { LiveList } from '../memory/live-list.ts';
import type { Watched } from '../time/clock.ts';
import { type Client, newClient } from './client.ts';
import type { FullLaneHost } from './host.ts';
import { ParsedSocket } from './parsed-socket.ts';
import { FullLaneRequest, refuseRequest } from './request.ts';
import { type ParseError, withKnownMethod } from './unknown-method.ts';
import { UpgradeRequest } from './upgrade.ts';

/** Serves everything that the fast lane does not support, by node:http. */
export class FullLane implements Watched {
  readonly #host: FullLaneHost;
  readonly #server: http.Server;
  readonly #clients = new Map<Socket, Client>();
  readonly #requests = new LiveList<FullLaneRequest>();

  constructor(host: FullLaneHost) {
    this.#host = host;
    this.#server = http.createServer({
      maxHeaderSize: host.runtime.maxHead,
      // `checkRequest` does this, with one kind of reply for all faults.
      requireHostHeader: false,
      insecureHTTPParser: false,
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
      shouldUpgradeCallback: (request) => this.#takesUpgrade(request),
    });
    this.#server.maxHeadersCount = 0;
    this.#server.timeout = 0;
    this.#server.on('request', (request, response) => this.#serve(request, response));
    // The upstream decides whether to continue: its reply to Expect is relayed.
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response));
    this.#server.on('checkExpectation', (request, response) => this.#serve(request, response));
    this.#server.on('upgrade', (request, socket, head) =>
      this.#upgrade(request, socket as Socket, head),
    );
    this.#server.on('connect', (_request, socket) => {
      // node:http has stopped to notify the response before it, which may be long.
      socket.on('drain', () => this.#requests.visit((one) => one.onDrain(socket as Socket)));
      const text = localReplyText(405, 'CONNECT is not allowed', { close: true });
      this.#replyAtEnd(socket as Socket, text);
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#malformed(error, socket as Socket),
    );
    host.runtime.clock.watch(this);
  }

  get connections(): number {
    return this.#clients.size;
  }

  /**
   * Takes a connection over; `unread` is processed first, as if it had just arrived.
   * @param behind whether it arrived during the request before it.
   */
  accept(socket: Socket, unread: Buffer, behind = false): void {
    const { now } = this.#host.runtime.clock;
    const [method, readable] = withKnownMethod(unread);
    const client = newClient(socket, now, () => this.#forget(socket, client));
    client.behind = behind;
    client.method = method;
    if (unread.length > 0) client.headSince = now;
    socket.once('close', client.forget);
    this.#clients.set(socket, client);
    // node:http calls it after the last response. A client that still sends would be reset.
    socket.destroySoon = () => this.#linger(socket);
    // node:http reads it for each connection; a reload may have changed it.
    (this.#server as { maxHeaderSize?: number }).maxHeaderSize = this.#host.runtime.maxHead;
    client.parsed = new ParsedSocket(this.#server, socket);
    // node:http resumes it for the next piece of any body.
    socket.on('resume', () => {
      if (client.served.length > MAX_SERVED || client.refused !== undefined) socket.pause();
    });
    if (readable.length > 0) socket.unshift(readable);
    socket.resume();
  }

  /** Closes connections that have been idle since `time` (of the clock). */
  closeIdle(time: number): void {
    for (const [socket, client] of this.#clients)
      if (client.requests === 0 && client.quietSince <= time) socket.destroy();
  }

  /** Ends the gRPC-Web calls, of which some may be streams without an end. */
  stopCalls(): void {
    this.#requests.visit((request) => request.stop());
  }

  destroy(): void {
    for (const socket of this.#clients.keys()) socket.destroy();
  }

  close(): void {
    this.#host.runtime.clock.unwatch(this);
  }

  check(now: number): void {
    this.#requests.visit((request) => request.check(now));
    const { headers, keepAlive } = this.#host.runtime.timeouts;
    for (const [socket, client] of this.#clients) {
      if (client.lingerUntil !== 0) {
        if (now > client.lingerUntil) socket.destroy();
        continue;
      }
      if (client.requests > 0) continue;
      if (client.headSince === 0 && socket.bytesRead > client.readBefore) client.headSince = now;
      if (client.headSince !== 0 && now - client.headSince > headers) {
        const text = localReplyText(408, 'the request head did not arrive in time', {
          close: true,
        });
        socket.end(text, 'latin1');
        client.lingerUntil = now + LINGER;
      } else if (client.headSince === 0 && now - client.quietSince > keepAlive) socket.destroy();
    }
  }

  /** Ends a socket, and discards what the client still sends until it has read the response. */
  #linger(socket: Socket) {
    const client = this.#clients.get(socket);
    if (client === undefined || socket.readableEnded) {
      Object.getPrototypeOf(socket).destroySoon.call(socket);
      return;
    }
    if (client.lingerUntil !== 0) return;
    client.lingerUntil = this.#host.runtime.clock.now + LINGER;
    socket.end();
    client.last?.discardBody();
    socket.resume();
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse) {
    const client = this.#begin(request.socket);
    if (client === undefined) return;
    response.sendDate = false;
    let served: FullLaneRequest | undefined;
    response.once('close', () => {
      if (served) this.#requests.delete(served);
      if (served && client.served[0] === served) client.served.shift();
      this.#end(request.socket, client);
    });
    const checked = check(request, client, this.#host.runtime.maxFields);
    if ('reason' in checked) {
      client.refusing = true;
      this.#host.runtime.observer.refused(request.method ?? '', checked.status);
      refuseRequest(response, checked.status, checked.reason, { close: true });
      return;
    }
    client.parsed?.headRead(checked.contentLength);
    client.last = served = new FullLaneRequest(request, response, this.#host, checked);
    this.#requests.add(served);
    client.served.push(served);
    // Requests that are not safe must not be processed in parallel (RFC 9112 §9.3.2).
    if (client.requests === 1) served.start();
    else if (client.served.length > MAX_SERVED) request.socket.pause();
  }

  /** An upgrade behind a request in progress is ignored, so that responses stay in order. */
  #takesUpgrade(request: http.IncomingMessage): boolean {
    const client = this.#clients.get(request.socket);
    if (client?.requests === 0 && !client.behind && isUpgrade(request)) return true;
    client?.parsed?.declineUpgrade();
    return false;
  }

  #upgrade(request: http.IncomingMessage, socket: Socket, head: Buffer) {
    const client = this.#begin(socket);
    if (client === undefined) return;
    const checked = check(request, client, this.#host.runtime.maxFields);
    if ('reason' in checked) {
      this.#host.runtime.observer.refused(request.method ?? '', checked.status);
      socket.end(localReplyText(checked.status, checked.reason, { close: true }), 'latin1');
      return;
    }
    new UpgradeRequest(socket, head, this.#host).start(
      checked,
      forwardingOf(socket, this.#host.runtime),
    );
  }

  #begin(socket: Socket): Client | undefined {
    const client = this.#clients.get(socket);
    if (client === undefined || client.lingerUntil !== 0 || client.refusing) return undefined;
    client.requests++;
    client.headSince = 0;
    client.behind = false;
    return client;
  }

  #end(socket: Socket, client: Client) {
    client.requests--;
    client.quietSince = this.#host.runtime.clock.now;
    client.readBefore = socket.bytesRead;
    if (!socket.writable || client.lingerUntil !== 0) return;
    client.served[0]?.start();
    if (client.requests === 0) client.next?.();
    else if (client.served.length === MAX_SERVED) socket.resume();
  }

  #forget(socket: Socket, client: Client) {
    this.#clients.delete(socket);
    // node:http does not close the responses that have no socket yet.
    for (const served of client.served) {
      this.#requests.delete(served);
      served.abandon();
    }
  }

  /** Closes a connection with a reply, after the responses to the requests in progress. */
  #replyAtEnd(socket: Socket, text: string) {
    const client = this.#clients.get(socket);
    if (client === undefined) return;
    client.next = () => socket.end(text, 'latin1', () => socket.destroySoon());
    if (client.requests === 0) client.next();
  }

  #malformed(error: ParseError, socket: Socket) {
    const client = this.#clients.get(socket);
    if (error.code === 'ECONNRESET' || !socket.writable || client === undefined) {
      socket.destroy();
      return;
    }
    if (this.#handBack(error, socket, client)) return;
    // Bytes after a request that closes the connection are ignored.
    if (error.code === 'HPE_CLOSED_CONNECTION' && client.requests > 0) return;
    const overflow = error.code === 'HPE_HEADER_OVERFLOW';
    const status = overflow ? 431 : 400;
    this.#host.runtime.observer.refused('', status);
    const reason = overflow ? 'the request head is too large' : 'not HTTP/1.1';
    if (client.requests > 0 && !client.last?.complete) client.last?.rejectBody(status, reason);
    else this.#replyAtEnd(socket, localReplyText(status, reason, { close: true }));
  }

  /** Hands the connection back with a request whose method the parser does not know. */
  #handBack(error: ParseError, socket: Socket, client: Client): boolean {
    if (client.refused !== undefined) {
      // The parser continues to refuse what arrives.
      client.refused = Buffer.concat([client.refused, error.rawPacket ?? NO_BYTES]);
      if (client.refused.length > MAX_REFUSED) socket.destroy();
      else socket.pause();
      return true;
    }
    const refused = client.parsed?.refused(error);
    if (refused === undefined) return false;
    client.refused = refused;
    client.next = () => {
      client.parsed!.release();
      socket.off('close', client.forget);
      client.forget();
      // What waits in the socket must not be overtaken by what the fast lane reads.
      const waiting: Buffer | null = socket.readableLength > 0 ? socket.read() : null;
      this.#host.toFastLane(socket, Buffer.concat([client.refused!, waiting ?? NO_BYTES]));
    };
    if (client.requests === 0) client.next();
    else socket.pause();
    return true;
  }
}

/** Requests in progress and behind it; beyond, reading stops. */
const MAX_SERVED = 16;
const NO_BYTES = Buffer.alloc(0);
/** Bytes that may wait to be read again. */
const MAX_REFUSED = 128 * 1024;

function check(request: http.IncomingMessage, client: Client, maxFields: number) {
  const method = client.method ?? request.method ?? '';
  client.method = undefined;
  return checkRequest({
    method,
    maxFields,
    target: request.url ?? '',
    version: request.httpVersion,
    rawHeaders: request.rawHeaders,
  });
}

/** Whether to read a tunnel after the head. `checkRequest` refuses an upgrade with a body. */
function isUpgrade(request: http.IncomingMessage): boolean {
  const { upgrade, connection } = request.headers;
  return (
    upgrade !== undefined &&
    request.httpVersionMinor === 1 &&
    offered([upgrade]) !== undefined &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(connection ?? '') &&
    request.headers['content-length'] === undefined &&
    request.headers['transfer-encoding'] === undefined
  );
}
