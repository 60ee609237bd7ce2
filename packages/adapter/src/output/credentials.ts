import type http from 'node:http';
import type { AgentOptions } from 'node:https';
import { errorText, readSmallFile } from '@sidekit/core';

/** Files that authenticate an output, and that may be rotated while it runs. */
export interface Credentials {
  /** Holds the complete Authorization header. */
  readonly authorizationFile: string | undefined;
  /** Holds a bearer token (RFC 6750). */
  readonly bearerFile: string | undefined;
  /** Holds `user:password` for basic authentication (RFC 7617). */
  readonly basicFile: string | undefined;
  /** PEM of the authorities to trust instead of the system's. */
  readonly caFile: string | undefined;
  /** PEM of the client certificate and of its key. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

type Tls = Pick<AgentOptions, 'ca' | 'cert' | 'key'>;

/** The largest credential file that is read, in bytes. */
const LARGEST = 1024 * 1024;

/** Reads credentials for every request, and opens new connections if TLS files have changed. */
export class Secured {
  readonly #files: Credentials;
  readonly #create: (tls: Tls) => http.Agent;
  #agent: http.Agent | undefined;
  #read = '';

  constructor(files: Credentials, create: (tls: Tls) => http.Agent) {
    this.#files = files;
    this.#create = create;
  }

  /** Returns the Authorization header. @throws the system call's error. */
  headers(): Record<string, string> {
    const { authorizationFile, bearerFile, basicFile } = this.#files;
    const read = (path: string) => content(path).trim();
    if (authorizationFile !== undefined) return { authorization: read(authorizationFile) };
    if (bearerFile !== undefined) return { authorization: `Bearer ${read(bearerFile)}` };
    if (basicFile === undefined) return {};
    return { authorization: `Basic ${Buffer.from(read(basicFile)).toString('base64')}` };
  }

  /** Returns the agent for the current TLS files. @throws the system call's error. */
  agent(): http.Agent {
    const { caFile, certFile, keyFile } = this.#files;
    const [ca, cert, key] = [caFile, certFile, keyFile].map((path) =>
      path === undefined ? undefined : content(path),
    );
    const read = JSON.stringify([ca, cert, key]);
    if (this.#agent && read === this.#read) return this.#agent;
    this.#agent?.destroy();
    this.#read = read;
    this.#agent = this.#create({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    return this.#agent;
  }

  close(): void {
    this.#agent?.destroy();
  }
}

function content(path: string): string {
  try {
    return readSmallFile(path, LARGEST).toString();
  } catch (error) {
    throw new Error(`${path} cannot be read (${errorText(error)})`);
  }
}
