import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Lease } from '../lead/lease.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/own/leases/web';

/** The part of the Kubernetes API that an election uses, over TLS. */
export class LeaseServer implements AsyncDisposable {
  readonly serviceAccount: string;
  /** Each request, as `METHOD STATUS`. */
  readonly requests: string[] = [];
  token = 'token-1';
  /** The status of every response; 0 for the real ones. */
  failWith = 0;
  /** Whether requests get no response. */
  silent = false;
  lease: Lease | undefined = { metadata: { name: 'web', resourceVersion: '1' } };
  #version = 1;
  readonly #server;

  private constructor(directory: string) {
    const [key, cert] = [join(directory, 'api.key'), join(directory, 'api.crt')];
    const words =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=api';
    execFileSync(
      'openssl',
      [...words.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
      { stdio: 'ignore' },
    );
    this.serviceAccount = join(directory, 'serviceaccount');
    mkdirSync(this.serviceAccount);
    writeFileSync(join(this.serviceAccount, 'ca.crt'), readFileSync(cert));
    writeFileSync(join(this.serviceAccount, 'token'), `${this.token}\n`);
    writeFileSync(join(this.serviceAccount, 'namespace'), 'own');
    this.#server = createServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (...pair) => void this.#serve(...pair),
    );
  }

  static async start(directory: string): Promise<LeaseServer> {
    const server = new LeaseServer(directory);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get environment(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) };
  }

  get spec(): Readonly<Record<string, unknown>> {
    return this.lease?.spec ?? {};
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    if (this.silent) return;
    const [status, value] = this.#answer(request, body);
    this.requests.push(`${request.method} ${status}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }

  #answer({ method, url, headers }: IncomingMessage, body: string): [number, unknown] {
    if (headers.authorization !== `Bearer ${this.token}`) return [401, {}];
    if (this.failWith !== 0) return [this.failWith, {}];
    if (url !== PATH || !this.lease) return [404, {}];
    if (method === 'GET') return [200, this.lease];
    if (method !== 'PUT') return [405, {}];
    const given = JSON.parse(body) as Lease;
    if (given.metadata.resourceVersion !== this.lease.metadata.resourceVersion) return [409, {}];
    const metadata = { ...given.metadata, resourceVersion: String(++this.#version) };
    this.lease = { ...given, metadata };
    return [200, this.lease];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
