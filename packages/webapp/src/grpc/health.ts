import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { Health, Message } from './message.ts';
import { NOT_SERVING, SERVICE_UNKNOWN, SERVING } from './services.ts';

/** The services with a health; the empty name is the whole server. */
const KNOWN: ReadonlySet<string> = new Set(['', 'demo.Echo']);
/** The most concurrent watchers. */
const MAX_WATCHERS = 100;

type Watcher = ServerWritableStream<Message, Health>;

/** Serves `grpc.health.v1.Health`. */
export class HealthService {
  #status = SERVING;
  readonly #watchers = new Set<Watcher>();

  readonly Check = (call: ServerUnaryCall<Message, Health>, reply: sendUnaryData<Health>): void => {
    if (KNOWN.has(call.request.text)) reply(null, { status: this.#status });
    else reply({ code: status.NOT_FOUND, details: 'unknown service' });
  };

  readonly Watch = (call: Watcher): void => {
    if (this.#watchers.size >= MAX_WATCHERS) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many watchers' });
      return;
    }
    this.#watchers.add(call);
    call.on('cancelled', () => this.#watchers.delete(call));
    call.write({ status: KNOWN.has(call.request.text) ? this.#status : SERVICE_UNKNOWN });
  };

  /** Notifies all watchers that the server stops, and ends their streams. */
  stop(): void {
    this.#status = NOT_SERVING;
    for (const watcher of this.#watchers) {
      if (KNOWN.has(watcher.request.text)) watcher.write({ status: this.#status });
      watcher.end();
    }
    this.#watchers.clear();
  }
}
