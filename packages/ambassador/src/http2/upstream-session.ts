import http2, { type ClientHttp2Session, type ClientSessionOptions } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Target, UpstreamResources } from '../upstream/target.ts';
import type { EndpointLimits } from '../upstream/waiter.ts';
import { connectHttp2 } from './connect.ts';
import { limitControl } from './control-limit.ts';
import { type HeadLimits, headerListSize } from './head-limits.ts';
import { keepNativeOnError } from './keep-native.ts';

/** Streams of a session for which the upstream sets no limit. */
const MOST_STREAMS = 1000;

/** Reports the changes of a session to its pool. */
export interface SessionOwner {
  /** The upstream's SETTINGS have arrived: it speaks HTTP/2. */
  onOpen(session: UpstreamSession): void;
  /** A stream has ended. */
  onRoom(session: UpstreamSession): void;
  onClosed(session: UpstreamSession, error: Error): void;
}

/** Holds one HTTP/2 connection to an upstream, with prior knowledge. */
export class UpstreamSession {
  readonly session: ClientHttp2Session;
  readonly openedAt: number;
  readonly resources: UpstreamResources;
  readonly limits: HeadLimits;
  readonly scheme: 'http' | 'https';
  idleSince: number;
  /** The number of requests it has carried. */
  uses = 0;
  opened = false;
  /** The last stream that the upstream processes, once it has sent GOAWAY (RFC 9113 §6.8). */
  lastStream = Number.POSITIVE_INFINITY;
  #streams = 0;
  #error = new Error('the connection was closed');
  readonly #owner: SessionOwner;

  /** @param connected the connection, if there is one already. */
  constructor(
    target: Target,
    limits: EndpointLimits,
    owner: SessionOwner,
    resources: UpstreamResources,
    connected?: TLSSocket,
  ) {
    this.#owner = owner;
    this.resources = resources;
    this.limits = limits;
    this.scheme = 'secure' in target ? 'https' : 'http';
    this.openedAt = this.idleSince = resources.clock.now;
    const options: ClientSessionOptions & { readonly strictSingleValueFields: boolean } = {
      createConnection: () => connected ?? connectHttp2(target),
      settings: {
        enablePush: false,
        initialWindowSize: 64 * 1024 - 1,
        maxHeaderListSize: headerListSize(limits),
      },
      maxHeaderListPairs: 2 * limits.maxFields,
      maxSessionMemory: 64,
      strictSingleValueFields: false,
    };
    const session = http2.connect('http://upstream', options);
    this.session = session;
    session.on('error', (error: Error) => {
      this.#error = error;
    });
    session.once('connect', () => keepNativeOnError(session));
    limitControl(session);
    session.on('remoteSettings', () => {
      if (this.opened) owner.onRoom(this);
      else {
        this.opened = true;
        owner.onOpen(this);
      }
    });
    session.on('goaway', (_code, lastStream) => {
      this.lastStream = Math.min(this.lastStream, lastStream);
    });
    session.once('close', () => owner.onClosed(this, this.#error));
  }

  get streams(): number {
    return this.#streams;
  }

  /** Whether another stream may be opened. A session that got GOAWAY has no room. */
  get hasRoom(): boolean {
    const { session } = this;
    if (!this.opened || session.closed || session.destroyed) return false;
    const { maxConcurrentStreams = MOST_STREAMS } = session.remoteSettings;
    return this.#streams < Math.min(maxConcurrentStreams, MOST_STREAMS);
  }

  /** Whether the upstream's limit on streams is 0, as it may be for a while (RFC 9113 §5.1.2). */
  get allowsNone(): boolean {
    const { session } = this;
    return (
      !session.closed && !session.destroyed && session.remoteSettings.maxConcurrentStreams === 0
    );
  }

  begin(): void {
    this.#streams++;
    this.uses++;
  }

  end(): void {
    this.#streams--;
    this.idleSince = this.resources.clock.now;
    this.#owner.onRoom(this);
  }

  /** Closes when the last stream has ended. */
  close(): void {
    this.session.close();
  }

  destroy(error?: Error): void {
    if (error) this.#error = error;
    this.session.destroy();
  }
}
