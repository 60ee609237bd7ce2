import { connectPause } from './retry.ts';
import type { Runtime } from './runtime.ts';
import type { UpstreamConnection } from './upstream/connection.ts';
import { ConnectTimeout, type Endpoint, type Waiter } from './upstream/endpoint.ts';

/** Who needs a connection. */
export interface Searcher {
  onFound(connection: UpstreamConnection): void;
  /** There is none to be had: what to answer, why, and the flag for the log. */
  onNoneFound(status: number, reason: string, flag: string): void;
}

/**
 * Finds an endpoint and a connection to it for one request after the other. Until a connection is
 * there nothing was sent, so that any method is tried again where a connect fails.
 */
export class ConnectionSearch implements Waiter {
  /** The one chosen last. */
  endpoint: Endpoint | undefined;
  readonly #searcher: Searcher;
  #runtime!: Runtime;
  #startedAt = 0;
  #tries = 0;
  #searching = false;
  #pause: NodeJS.Timeout | undefined;
  /** Whether the endpoint counts the request as pending. */
  #counted = false;

  constructor(searcher: Searcher) {
    this.#searcher = searcher;
  }

  /** Forgets the request before. @param startedAt of the request, in milliseconds. */
  reset(runtime: Runtime, startedAt: number): void {
    this.#runtime = runtime;
    this.#startedAt = startedAt;
    this.endpoint = undefined;
    this.#tries = 0;
  }

  /** Searches. @param pooled whether a connection that was used before will do. */
  start(pooled: boolean): void {
    this.#searching = true;
    this.#try(undefined, pooled);
  }

  /** Gives a search up, where one is under way, and leaves the endpoint. */
  stop(good: boolean): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (this.#searching) this.endpoint?.cancel(this);
    this.#searching = false;
    this.release(good);
  }

  /** The request is over for the endpoint. @param good whether it did what it should. */
  release(good: boolean): void {
    const { endpoint } = this;
    if (endpoint === undefined || !this.#counted) return;
    this.#counted = false;
    endpoint.pending--;
    if (!good || endpoint.consecutiveFailures > 0) this.#runtime.cluster.judge(endpoint, good);
  }

  onConnection(connection: UpstreamConnection): void {
    if (!this.#searching) {
      // Given up in the meantime.
      connection.abandon();
      return;
    }
    this.#searching = false;
    this.#searcher.onFound(connection);
  }

  onConnectFailed(error: Error): void {
    const { endpoint } = this;
    const { retry, cluster, observer } = this.#runtime;
    this.release(false);
    const now = performance.now();
    // Elsewhere at once, or here after a pause.
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
    const late = error instanceof ConnectTimeout;
    this.#fail(late ? 504 : 502, `no connection: ${error.message}`, late ? 'UT' : 'UF');
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
    const connection = pooled ? endpoint.take() : undefined;
    if (connection !== undefined) this.onConnection(connection);
    else if (!endpoint.connect(this)) {
      endpoint.pending--;
      this.#counted = false;
      this.#fail(503, 'too many requests wait for the upstream', 'UO');
    }
  }

  #fail(status: number, reason: string, flag: string) {
    this.#searching = false;
    this.#searcher.onNoneFound(status, reason, flag);
  }
}
