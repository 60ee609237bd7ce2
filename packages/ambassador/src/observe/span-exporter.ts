import { errorText, send } from '@sidekit/core';

/** Spans that may wait; more are dropped and counted. One takes up to 4 KiB. */
const MAX_WAITING = 2048;
const MAX_BATCH = 256;
/** Time between two batches, and the longest pause after failures, in milliseconds. */
const INTERVAL = 1000;
const MAX_PAUSE = 30_000;
const TIMEOUT = 3000;
/** How long a stop waits for the last batch, in milliseconds. */
const LAST_TIMEOUT = 2000;

/** Receives the results of an export, for metrics, health and the log. */
export interface SpanReport {
  sent(spans: number): void;
  dropped(spans: number, reason: string): void;
}

/** Sends spans to a collector by OTLP/HTTP, in batches. A collector that is away costs spans only. */
export class SpanExporter {
  readonly #endpoint: string;
  readonly #service: string;
  readonly #report: SpanReport;
  #waiting: string[] = [];
  #pause = INTERVAL;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  /** @param service the name of the service that the spans are of. */
  constructor(endpoint: string, service: string, report: SpanReport) {
    this.#endpoint = endpoint;
    this.#service = service;
    this.#report = report;
  }

  /** Adds an encoded span. */
  add(span: string): void {
    if (this.#closed || this.#waiting.length >= MAX_WAITING) {
      this.#report.dropped(1, 'the collector is too slow or away');
      return;
    }
    this.#waiting.push(span);
    if (this.#timer === undefined && this.#sending === undefined) this.#schedule();
  }

  /** Tries once to send what waits; the rest is dropped and counted. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#sending;
    const end = performance.now() + LAST_TIMEOUT;
    while (this.#waiting.length > 0 && performance.now() < end)
      if (!(await this.#send(end - performance.now()))) break;
    if (this.#waiting.length > 0)
      this.#report.dropped(this.#waiting.length, 'the ambassador stops');
    this.#waiting = [];
  }

  #schedule() {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#run().finally(() => {
        this.#sending = undefined;
        if (!this.#closed && this.#waiting.length > 0) this.#schedule();
      });
    }, this.#pause);
    this.#timer.unref();
  }

  async #run() {
    do {
      if (!(await this.#send(TIMEOUT))) {
        this.#pause = Math.min(MAX_PAUSE, this.#pause * 2);
        return;
      }
      this.#pause = INTERVAL;
    } while (!this.#closed && this.#waiting.length >= MAX_BATCH);
  }

  /** Sends one batch. Returns whether the collector took a decision about it. */
  async #send(timeout: number): Promise<boolean> {
    const batch = this.#waiting.slice(0, MAX_BATCH);
    let problem = '';
    try {
      const { status, body } = await send(this.#endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: this.#encode(batch),
        timeout,
        limit: 64 * 1024,
      });
      // The statuses after which OTLP/HTTP wants the same request again.
      if ([429, 502, 503, 504].includes(status)) problem = `status ${status}`;
      else {
        this.#waiting.splice(0, batch.length);
        const taken = status >= 200 && status < 300;
        const rejected = taken ? Math.min(batch.length, rejectedSpans(body)) : batch.length;
        if (rejected > 0) this.#report.dropped(rejected, `refused with status ${status}`);
        if (rejected < batch.length) this.#report.sent(batch.length - rejected);
        return true;
      }
    } catch (error) {
      problem = errorText(error);
    }
    // Nothing is lost yet, but it will be if this lasts.
    this.#report.dropped(0, problem);
    return false;
  }

  #encode(batch: readonly string[]): string {
    const service = JSON.stringify(this.#service);
    return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":${service}}}]},"scopeSpans":[{"scope":{"name":"sidekit/ambassador"},"spans":[${batch.join(',')}]}]}]}`;
  }
}

/** Reads how many spans a collector refused (ExportTracePartialSuccess). */
function rejectedSpans(body: Buffer): number {
  try {
    return Math.max(0, Number(JSON.parse(body.toString()).partialSuccess?.rejectedSpans) || 0);
  } catch {
    return 0;
  }
}
