import { Agent } from 'node:https';
import { ExpectedError, errorText, type HttpResponse, readSmallFile, send } from '@sidekit/core';
import { type LeaseApi, LeaseConflict, LeaseMissing } from './elector.ts';
import { isLease, type Lease } from './lease.ts';

/** The largest Lease that is read, in bytes: most of one are the managed fields of its writers. */
const LIMIT = 256 * 1024;
/** The largest credential file that is read, in bytes. */
const FILE_LIMIT = 1024 * 1024;

export interface LeaseApiOptions {
  /** The `https` URL of the API server. */
  readonly server: string;
  /** The directory with `token`, `ca.crt` and `namespace`, as Kubernetes mounts it. */
  readonly serviceAccount: string;
  readonly lease: string;
  /** The namespace; that of the Pod by default. */
  readonly namespace: string | undefined;
  /** For one request, in milliseconds. */
  readonly timeout: number;
}

/**
 * Reads and writes one Lease with the service account of the Pod, whose token and authority are
 * read for each request, since the kubelet replaces them. No redirect is followed.
 * Source: Kubernetes API reference, Lease v1 coordination.k8s.io.
 */
export class KubernetesLease implements LeaseApi {
  readonly #options: LeaseApiOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(options: LeaseApiOptions) {
    this.#options = options;
  }

  async get(signal: AbortSignal): Promise<Lease> {
    return await this.#request('GET', undefined, signal);
  }

  async put(lease: Lease, signal: AbortSignal): Promise<Lease> {
    return await this.#request('PUT', JSON.stringify(lease), signal);
  }

  /** Ends the connection that is kept. */
  close(): void {
    this.#agent.destroy();
  }

  async #request(method: 'GET' | 'PUT', body: string | undefined, signal: AbortSignal) {
    const { server, serviceAccount, lease, timeout } = this.#options;
    const [token, ca, namespace] = await Promise.all([
      readCredential(`${serviceAccount}/token`),
      readCredential(`${serviceAccount}/ca.crt`),
      this.#options.namespace ?? readCredential(`${serviceAccount}/namespace`),
    ]);
    const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace.trim())}/leases/${lease}`;
    const response = await send(new URL(path, server), {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token.trim()}`,
        'user-agent': 'sidekit-coordinator',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      timeout,
      limit: LIMIT,
      agent: this.#agent,
      ca,
      signal,
    });
    return leaseOf(response, `the lease ${namespace.trim()}/${lease}`);
  }
}

function leaseOf({ status, body }: HttpResponse, what: string): Lease {
  if (status === 409) throw new LeaseConflict(`${what} was changed meanwhile`);
  if (status === 404) {
    throw new LeaseMissing(`${what} does not exist: apply it with the manifest`);
  }
  if (status === 403) {
    throw new ExpectedError(
      `${what}: the API server answered 403: give the service account a Role with get and update of this lease, and a RoleBinding`,
    );
  }
  if (status === 401) {
    throw new ExpectedError(`${what}: the API server answered 401: check the mounted token`);
  }
  if (status < 200 || status > 299) throw new Error(`${what}: the API server answered ${status}`);
  const lease = parsed(body);
  if (isLease(lease)) return lease;
  throw new Error(`${what}: the API server sent something else`);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function readCredential(path: string): string {
  try {
    return readSmallFile(path, FILE_LIMIT).toString();
  } catch (error) {
    throw new ExpectedError(
      `${path} cannot be read (${errorText(error)}): set automountServiceAccountToken: true in the Pod, or mount a service account token`,
    );
  }
}
