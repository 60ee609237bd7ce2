import type { Endpoint } from '../upstream/endpoint.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';
import { ConnectTimeout, type Waiter } from '../upstream/waiter.ts';
import { connectPause } from './retry.ts';
import type { Runtime } from './runtime.ts';

/** Receives the result of a search for a connection. */
export interface ConnectionUser {
  onConnected(stream: UpstreamStream): void;
  /** No connection is available: the status to reply with, the reason and the flag for the log. */
  onUnavailable(status: number, reason: string, flag: string): void;
}

/** Connects that fail because this side has no descriptors, ports or memory: endpoints are not ejected. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'ENOBUFS',
  'ENOMEM',
]);

/**
 * Finds an endpoint and a connection to it, for one request after another. Nothing was sent before
 * there is a connection, so a failed connect is retried for any method.
 */
export class ConnectionSearch implements Waiter {
  /** The endpoint that was chosen last. */
  endpoint: Endpoint | undefined;
  http1 = false;
  readonly #user: ConnectionUser;
  #runtime!: Runtime;
  #startedAt = 0;
  #tries = 0;
  #searching = false;
  #pause: NodeJS.Timeout | undefined;
  /** Whether the endpoint counts the request as pending. */
  #counted = false;

  constructor(user: ConnectionUser) {
    this.#user = user;
  }

  /**
   * Starts with a new request.
   * @param startedAt of the request, in milliseconds. @param http1 whether it needs HTTP/1.1.
   */
  reset(runtime: Runtime, startedAt: number, http1: boolean): void {
    this.http1 = http1;
    this.#runtime = runtime;
    this.#startedAt = startedAt;
    this.endpoint = undefined;
    this.#tries = 0;
  }

  /** Searches. @param pooled whether a connection that was used before is acceptable. */
  start(pooled: boolean): void {
    this.#searching = true;
    this.#try(undefined, pooled);
  }

  /** Searches after a pause. */
  startLater(): void {
    this.#pause = setTimeout(
      () => {
        this.#pause = undefined;
        this.start(false);
      },
      connectPause(Math.max(1, this.#tries)),
    );
  }

  /** Cancels a search that is in progress, and releases the endpoint. @param good as of `release`. */
  cancel(good: boolean | undefined): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (this.#searching) this.endpoint?.cancel(this);
    this.#searching = false;
    this.release(good);
  }

  /**
   * Releases the endpoint.
   * @param good whether it served the request as it should; undefined if that did not show.
   */
  release(good: boolean | undefined): void {
    const { endpoint } = this;
    if (endpoint === undefined || !this.#counted) return;
    this.#counted = false;
    endpoint.pending--;
    if (good === undefined) return;
    if (!good || endpoint.consecutiveFailures > 0)
      this.#runtime.cluster.recordOutcome(endpoint, good);
  }

  onConnection(stream: UpstreamStream): void {
    if (!this.#searching) {
      // The search was canceled in the meantime.
      stream.destroy();
      return;
    }
    this.#searching = false;
    this.#user.onConnected(stream);
  }

  onConnectFailed(error: Error): void {
    const { endpoint } = this;
    const { retry, cluster, observer } = this.#runtime;
    const own = OWN_FAULTS.has((error as NodeJS.ErrnoException).code ?? '');
    this.release(own ? undefined : false);
    const now = performance.now();
    // Another endpoint at once, or the same one after a pause.
    const elsewhere = cluster.endpoints.length > this.#tries;
    const inTime =
      endpoint !== undefined &&
      now - this.#startedAt < retry.connectFor &&
      now - (endpoint.failingSince || now) < retry.connectFor;
    if (elsewhere || inTime) {
      observer.retries.inc();
      if (elsewhere) this.#try(endpoint, false);
      else {
        this.#pause = setTimeout(() => {
          this.#pause = undefined;
          this.#try(endpoint, false);
        }, connectPause(this.#tries));
      }
      return;
    }
    const reason = `no connection: ${error.message}`;
    if (own) this.#fail(503, reason, 'UO');
    else if (error instanceof ConnectTimeout) this.#fail(504, reason, 'UT');
    else this.#fail(502, reason, 'UF');
  }

  #try(except: Endpoint | undefined, pooled: boolean) {
    this.#tries++;
    const endpoint = this.#runtime.cluster.pick(except);
    if (endpoint === undefined) {
      this.#fail(503, 'no upstream is healthy', 'UH');
      return;
    }
    this.endpoint = endpoint;
    endpoint.pending++;
    this.#counted = true;
    const connection = pooled ? endpoint.take(this.http1) : undefined;
    if (connection !== undefined) this.onConnection(connection);
    else if (!endpoint.connect(this)) {
      endpoint.pending--;
      this.#counted = false;
      this.#fail(503, 'too many requests wait for the upstream', 'UO');
    }
  }

  #fail(status: number, reason: string, flag: string) {
    this.#searching = false;
    this.#user.onUnavailable(status, reason, flag);
  }
}
