import { setTimeout as delay } from 'node:timers/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { combinedLine, type LogWriter } from './access-log.ts';
import { GRPC_PAGE } from './grpc-page.ts';
import { page } from './page.ts';
import type { Settings } from './settings.ts';
import { Sink } from './sink.ts';
import { Telemetry } from './telemetry.ts';

export interface AppOptions {
  readonly static: string | undefined;
  readonly maxBody: number;
  readonly log: LogWriter;
  readonly settings?: Settings;
  readonly telemetry?: Telemetry;
  /** Whether the page at `/grpc` is served. */
  readonly grpc?: boolean;
}

interface HttpError extends Error {
  readonly status?: number;
}

/** Creates the pages of the demo application. */
export function createApp({
  static: directory,
  maxBody,
  log,
  settings,
  telemetry = new Telemetry(undefined, undefined),
  grpc,
}: AppOptions): Express {
  const app = express();
  const sink = new Sink();
  app.disable('x-powered-by');
  app.set('etag', false);

  app.use((request, response, next) => {
    // The address of a connection is not available after the client has closed it.
    const client = request.socket.remoteAddress;
    const began = performance.now();
    const { method, url: path } = request;
    telemetry.begin();
    response.once('close', () => {
      log.write(combinedLine(request, response, new Date(), client));
      const took = performance.now() - began;
      telemetry.end({ method, path, status: response.statusCode, took });
    });
    next();
  });

  app.get('/slow', async (request, response) => {
    const ms = bounded(request, 'ms', 1000, 60_000);
    await delay(ms);
    response.type('text').send(`slept ${ms} ms\n`);
  });

  app.get('/flaky', (request, response) => {
    const rate = bounded(request, 'rate', 0.5, 1);
    const fails = Math.random() < rate;
    response
      .status(fails ? 503 : 200)
      .type('text')
      .send(fails ? 'failed\n' : 'worked\n');
  });

  app.all('/echo', express.raw({ type: () => true, limit: maxBody }), (request, response) => {
    const { method, url, headers } = request;
    const body = Buffer.isBuffer(request.body) ? request.body.toString() : '';
    response.json({ method, url, headers, body });
  });

  app.post(
    ['/sink', '/sink/{*rest}', '/v1/logs'],
    express.text({ type: () => true, limit: maxBody }),
    (request, response) => {
      sink.add(typeof request.body === 'string' ? request.body : '');
      response.json({});
    },
  );
  app.get('/sink', (_request, response) => {
    response.set('x-received', String(sink.received)).type('text').send(sink.text);
  });

  app.get('/status', (_request, response) => {
    response.json(telemetry.status());
  });

  app.get('/settings', (_request, response) => {
    response.set('x-loads', String(settings?.loads ?? 0));
    response.type('text').send(settings?.text ?? '');
  });

  if (grpc) app.get('/grpc', (_request, response) => void response.type('html').send(GRPC_PAGE));

  if (directory !== undefined)
    app.use(express.static(directory, { etag: false, lastModified: false, cacheControl: false }));

  app.get('/', (request, response) => {
    response
      .type('html')
      .send(page(request.method, request.url, pairs(request.rawHeaders), new Date()));
  });

  app.use((request, response) => {
    response.status(404).type('text').send(`no page ${request.path}\n`);
  });
  app.use((error: HttpError, _request: Request, response: Response, _next: NextFunction) => {
    response
      .status(error.status ?? 500)
      .type('text')
      .send(`${error.message}\n`);
  });
  return app;
}

/** Returns a number of the query, limited to 0 and `max`. */
function bounded(request: Request, name: string, usual: number, max: number): number {
  const value = Number(request.query[name] ?? usual);
  return Number.isFinite(value) ? Math.min(max, Math.max(0, value)) : usual;
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] ?? '', raw[2 * i + 1] ?? '']);
}
