import { createSocket, type Socket } from 'node:dgram';
import { hostname } from 'node:os';

/** The destination of datagrams. */
export interface Target {
  readonly host: string | undefined;
  readonly port: number;
}

/** A request that has been responded to. */
export interface Served {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** In milliseconds. */
  readonly took: number;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

/**
 * Counts requests for the page `/status`, and reports them over UDP as applications do that were
 * written for another platform: to StatsD, and to syslog in the format of RFC 5424. What cannot be
 * sent is lost: an application does not wait for its telemetry.
 */
export class Telemetry {
  readonly #statsd: Target | undefined;
  readonly #syslog: Target | undefined;
  readonly #socket: Socket | undefined;
  readonly #started = performance.now();
  readonly #methods = new Map<string, number>();
  #active = 0;
  #total = 0;

  constructor(statsd: Target | undefined, syslog: Target | undefined) {
    this.#statsd = statsd;
    this.#syslog = syslog;
    if (!statsd && !syslog) return;
    this.#socket = createSocket('udp4').unref();
    this.#socket.on('error', () => {});
  }

  begin(): void {
    this.#active++;
  }

  end({ method, path, status, took }: Served): void {
    this.#active--;
    this.#total++;
    // A client can name any method, and each would be a member of the page.
    const known = METHODS.has(method) ? method : 'OTHER';
    this.#methods.set(known, (this.#methods.get(known) ?? 0) + 1);
    const kind = `${Math.trunc(status / 100)}xx`;
    this.#send(
      this.#statsd,
      `webapp.requests.${known}:1|c|#status:${kind}\nwebapp.took:${took.toFixed(1)}|ms\nwebapp.active:${this.#active}|g`,
    );
    // Facility local0; an error of the server has the severity err, others info.
    const priority = 16 * 8 + (status >= 500 ? 3 : 6);
    const line = `${known} ${path.slice(0, 1024)} ${status}`.replace(/[^\x20-\x7e]/g, '?');
    const head = `<${priority}>1 ${new Date().toISOString()} ${hostname()} webapp ${process.pid} request`;
    this.#send(this.#syslog, `${head} - ${line}`);
  }

  /** Returns what `/status` shows. */
  status(): object {
    return {
      uptime: Math.round(performance.now() - this.#started) / 1000,
      healthy: true,
      requests: { total: this.#total, active: this.#active },
      methods: Object.fromEntries(this.#methods),
    };
  }

  close(): void {
    this.#socket?.close();
  }

  #send(target: Target | undefined, text: string): void {
    if (target) this.#socket?.send(text, target.port, target.host ?? '127.0.0.1', () => {});
  }
}
