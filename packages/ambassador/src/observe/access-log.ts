import { closeSync, fstatSync, ftruncateSync, openSync, statSync, write } from 'node:fs';
import { ExpectedError, errorText, type Log, rfc3339, throttle } from '@sidekit/core';
import type { ExchangeRecord } from './exchange-record.ts';

export interface AccessLogOptions {
  readonly format: 'json' | 'combined';
  /** Selects all requests, those with a status from 400 or a flag, or one in `sample`. */
  readonly select: 'all' | 'errors' | 'sampled';
  readonly sample: number;
  /** The file; stdout without one. */
  readonly path: string | undefined;
}

/** Receives the state of the access log, for metrics and health. */
export interface AccessLogReport {
  /** Lines could not be written. */
  dropped(lines: number, reason: string): void;
  /** Lines are written again. */
  recovered(): void;
}

/** Bytes that may wait for the disk; more lines are dropped and counted. */
const MAX_WAITING = 4 * 1024 * 1024;
const FLUSH_AT = 64 * 1024;
const FLUSH_EVERY = 250;

/** Writes one line per request, many lines per write; a slow disk never slows a request. */
export class AccessLog {
  readonly #options: AccessLogOptions;
  readonly #warn: () => void;
  readonly #report: AccessLogReport;
  #problem = '';
  readonly #timer: NodeJS.Timeout;
  readonly #log: Log;
  #fd: number;
  #text = '';
  #writing = false;
  #count = 0;
  #second = 0;
  #stamp = '';

  /** Opens the log. @throws {ExpectedError} if the file cannot be opened. */
  constructor(options: AccessLogOptions, log: Log, report: AccessLogReport) {
    this.#report = report;
    this.#options = options;
    this.#log = log;
    this.#fd = open(options.path);
    this.#warn = throttle(10_000, (suppressed) =>
      log.warn('access log lines dropped', {
        event: 'access_log_dropped',
        reason: this.#problem,
        suppressed,
      }),
    );
    this.#timer = setInterval(() => this.#tick(), FLUSH_EVERY);
    this.#timer.unref();
  }

  write(exchange: ExchangeRecord, seconds: number): void {
    const { select, sample, format } = this.#options;
    if (select === 'errors' && exchange.status < 400 && exchange.flags === '') return;
    if (select === 'sampled' && this.#count++ % sample !== 0) return;
    if (this.#text.length > MAX_WAITING) {
      this.#drop(1, 'the disk is too slow');
      return;
    }
    this.#text += format === 'json' ? this.#json(exchange, seconds) : this.#combined(exchange);
    if (this.#text.length >= FLUSH_AT) this.#flush();
  }

  /** Writes the remaining lines and closes. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flush(resolve);
    await promise;
    if (this.#fd > 2) closeSync(this.#fd);
  }

  #json(exchange: ExchangeRecord, seconds: number): string {
    const { head, ids } = exchange;
    const trace = ids.traceParent.slice(3, 35);
    const grpc = exchange.grpcStatus === undefined ? '' : `,"grpcStatus":${exchange.grpcStatus}`;
    return `{"time":"${this.#time()}","method":"${head.method}","path":${quoted(head.target)},"host":${quoted(head.host)},"protocol":"${exchange.protocol}","status":${exchange.status}${grpc},"duration":${seconds.toFixed(6)},"bytesIn":${exchange.bytesIn},"bytesOut":${exchange.bytesOut},"client":"${exchange.clientAddress}","upstream":"${exchange.endpoint?.name ?? ''}","flags":"${exchange.flags}","requestId":${quoted(ids.requestId)},"traceId":"${trace}"}\n`;
  }

  #combined(exchange: ExchangeRecord): string {
    const { head } = exchange;
    const client = exchange.clientAddress || '-';
    return `${client} - - [${clfTime(this.#time())}] "${head.method} ${escaped(head.target)} ${exchange.protocol}" ${exchange.status} ${exchange.bytesOut} "${field(exchange, 'referer')}" "${field(exchange, 'user-agent')}"\n`;
  }

  /** Returns the time in RFC 3339, formatted once per millisecond at most. */
  #time(): string {
    const now = Date.now();
    if (now !== this.#second) {
      this.#second = now;
      this.#stamp = rfc3339(now);
    }
    return this.#stamp;
  }

  #tick() {
    this.#reopenIfRotated();
    this.#flush();
  }

  #flush(done?: () => void) {
    if (this.#writing) {
      if (done) setTimeout(() => this.#flush(done), 5);
      return;
    }
    if (this.#text === '') {
      done?.();
      return;
    }
    const buffer = Buffer.from(this.#text, 'latin1');
    this.#text = '';
    this.#writing = true;
    this.#writeAll(buffer, 0, done);
  }

  #writeAll(buffer: Buffer, at: number, done?: () => void) {
    write(this.#fd, buffer, at, buffer.length - at, null, (error, written) => {
      if (error && error.code === 'EAGAIN') {
        setTimeout(() => this.#writeAll(buffer, at, done), 5);
        return;
      }
      if (error) this.#lose(buffer, at, errorText(error));
      else if (at + written < buffer.length) {
        this.#writeAll(buffer, at + written, done);
        return;
      } else if (this.#problem !== '') {
        this.#problem = '';
        this.#report.recovered();
      }
      this.#writing = false;
      done?.();
    });
  }

  /** Drops what could not be written, and removes the part of a line that was. */
  #lose(buffer: Buffer, at: number, problem: string) {
    const lineStart = at === 0 ? 0 : buffer.lastIndexOf(10, at - 1) + 1;
    let lost = 0;
    for (let i = buffer.indexOf(10, lineStart); i !== -1; i = buffer.indexOf(10, i + 1)) lost++;
    this.#drop(lost, problem);
    if (lineStart === at) return;
    try {
      const stat = fstatSync(this.#fd);
      if (stat.isFile()) ftruncateSync(this.#fd, stat.size - (at - lineStart));
    } catch (error) {
      this.#log.debug('access log not truncated', { error: errorText(error) });
    }
  }

  #drop(lines: number, problem: string) {
    this.#problem = problem;
    this.#report.dropped(lines, problem);
    this.#warn();
  }

  /** Opens the path again after a rotation renamed the file. */
  #reopenIfRotated() {
    const { path } = this.#options;
    if (path === undefined || this.#writing) return;
    try {
      const mine = fstatSync(this.#fd);
      const there = statSync(path, { throwIfNoEntry: false });
      if (there && there.ino === mine.ino && there.dev === mine.dev) return;
      const next = open(path);
      closeSync(this.#fd);
      this.#fd = next;
    } catch (error) {
      this.#drop(0, `the file cannot be opened again (${errorText(error)})`);
    }
  }
}

function open(path: string | undefined): number {
  if (path === undefined) return 1;
  try {
    return openSync(path, 'a', 0o644);
  } catch (error) {
    throw new ExpectedError(
      `accessLog.path ${path} cannot be opened (${errorText(error)}): give a file in a writable directory`,
    );
  }
}

/** Formats latin1 text as a JSON string; most needs no escaping. */
function quoted(text: string): string {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)
    ? `"${text}"`
    : JSON.stringify(text).replace(/[\x7f-\xff]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

function escaped(text: string): string {
  return text.replace(
    /["\\\x00-\x1f\x7f-\xff]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function field(exchange: ExchangeRecord, name: string): string {
  const { names, values } = exchange.head.fields;
  const at = names.findIndex((one) => one.toLowerCase() === name);
  return at === -1 ? '-' : escaped(values[at]!);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Formats `2026-11-21T07:00:00.000Z` as `21/Nov/2026:07:00:00 +0000`. */
function clfTime(iso: string): string {
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
