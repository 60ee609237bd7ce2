import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

interface StoredObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * The part of the Kubernetes API that the source uses, over TLS: lists in pages, metadata only,
 * watches with resume and 410, tokens and permissions. The Pod test runs against a real one.
 */
export class FakeKubernetesApi implements AsyncDisposable {
  readonly serviceAccount: string;
  readonly requests: string[] = [];
  token = 'token-1';
  /** The status of every response; 0 for the real ones. */
  failWith = 0;
  /** Namespaces that may not be read. */
  readonly refused = new Set<string>();
  /** Lists of metadata that end never: their heads come, and a space every 50 ms. */
  drip = false;
  /** Whether watches start after the last event only, and older versions are gone. */
  expired = false;
  #version = 100;
  readonly #objects = new Map<string, StoredObject>();
  readonly #watches = new Set<{ path: string; selector: string; response: ServerResponse }>();
  readonly #server;
  #port = 0;

  private constructor(directory: string) {
    const [key, cert] = [join(directory, 'api.key'), join(directory, 'api.crt')];
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=api -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(
        ' ',
      ),
      { stdio: 'ignore' },
    );
    this.serviceAccount = join(directory, 'serviceaccount');
    mkdirSync(this.serviceAccount);
    writeFileSync(join(this.serviceAccount, 'ca.crt'), readFileSync(cert));
    writeFileSync(join(this.serviceAccount, 'token'), this.token);
    writeFileSync(join(this.serviceAccount, 'namespace'), 'own');
    this.#server = createServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (request, response) => this.#respond(request, response),
    );
  }

  static async start(directory: string): Promise<FakeKubernetesApi> {
    const api = new FakeKubernetesApi(directory);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    api.#port = (api.#server.address() as AddressInfo).port;
    return api;
  }

  get environment(): Record<string, string> {
    return { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(this.#port) };
  }

  /** Creates or replaces an object. */
  apply(
    kind: 'ConfigMap' | 'Secret',
    name: string,
    data: Readonly<Record<string, string>>,
    { namespace = 'own', folder, labels = { app: 'x' } }: ApplyOptions = {},
  ): void {
    const id = `${kind}/${namespace}/${name}`;
    const type = this.#objects.has(id) ? 'MODIFIED' : 'ADDED';
    const object: StoredObject = {
      kind,
      metadata: {
        name,
        namespace,
        uid: `uid-${id}`,
        resourceVersion: String(++this.#version),
        labels,
        annotations: folder === undefined ? {} : { 'sidekit.dev/folder': folder },
      },
      data,
    };
    this.#objects.set(id, object);
    this.#send(type, object);
  }

  remove(kind: string, name: string, namespace = 'own'): void {
    const id = `${kind}/${namespace}/${name}`;
    const object = this.#objects.get(id)!;
    this.#objects.delete(id);
    this.#version++;
    this.#send('DELETED', object);
  }

  /** Ends all watches. */
  cut(): void {
    for (const { response } of this.#watches) response.destroy();
    this.#watches.clear();
  }

  get watches(): number {
    return this.#watches.size;
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'https://x');
    const { searchParams: query, pathname: path } = url;
    this.requests.push(`${path} ${query.has('watch') ? 'watch' : request.headers.accept}`);
    const status = request.headers.authorization === `Bearer ${this.token}` ? this.failWith : 401;
    if (status) {
      const headers = status === 302 ? { location: 'https://127.0.0.1:1/' } : {};
      response.writeHead(status, headers).end('{}');
      return;
    }
    if (this.refused.has(path.split('/')[4] ?? '')) {
      response.writeHead(403).end('{}');
      return;
    }
    const selector = query.get('labelSelector') ?? '';
    if (query.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      if (this.expired) {
        this.expired = false;
        response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 410 } })}\n`);
        return;
      }
      response.flushHeaders();
      const watch = { path, selector, response };
      this.#watches.add(watch);
      response.on('close', () => this.#watches.delete(watch));
      for (const object of this.#matching(path, selector)) {
        if (Number(object.metadata.resourceVersion) > Number(query.get('resourceVersion'))) {
          response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
        }
      }
      return;
    }
    if (this.drip) {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
      return;
    }
    const all = this.#matching(path, selector);
    const start = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? all.length);
    const partial = request.headers.accept?.includes('PartialObjectMetadata');
    const page = all
      .slice(start, start + limit)
      .map((object) => (partial ? { metadata: object.metadata } : object));
    // As an API server writes an empty list of metadata.
    const items = partial && page.length === 0 ? null : page;
    const next = start + limit < all.length ? { continue: String(start + limit) } : {};
    const metadata = { resourceVersion: String(this.#version), ...next };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ metadata, items }));
  }

  #matching(path: string, selector: string): StoredObject[] {
    const [, namespace, resource] = /namespaces\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    const kind = resource === 'secrets' ? 'Secret' : 'ConfigMap';
    const [key = '', value] = selector.split('=');
    return [...this.#objects.values()].filter(
      (one) =>
        one.kind === kind &&
        one.metadata.namespace === namespace &&
        one.metadata.labels[key] === value,
    );
  }

  #send(type: string, object: StoredObject): void {
    for (const { path, selector, response } of this.#watches) {
      const [, namespace, resource] = /namespaces\/([^/]+)\/(\w+)$/.exec(path) ?? [];
      const [key = '', value] = selector.split('=');
      const same =
        namespace === object.metadata.namespace &&
        (resource === 'secrets') === (object.kind === 'Secret') &&
        object.metadata.labels[key] === value;
      if (same)
        response.write(`${JSON.stringify({ type, object: { metadata: object.metadata } })}\n`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface ApplyOptions {
  readonly namespace?: string;
  readonly folder?: string;
  readonly labels?: Readonly<Record<string, string>>;
}
