import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment, ExpectedError, errorText, pause } from '@sidekit/core/tool';

/** The longest wait for kubectl to serve, and for a response to begin, in milliseconds. */
const PATIENCE = 15_000;
/** The most that is read of a response at once, in bytes. */
const LIMIT = 32 * 1024 * 1024;

/** An answer of the API server that is an error. */
export class KubeError extends ExpectedError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly accept?: string;
  /** The most that is read, in bytes. */
  readonly limit?: number;
  /** The longest wait for the response to begin, in milliseconds. */
  readonly timeout?: number;
}

/**
 * The API of the current kubectl context, with the user's rights and for reading only: one
 * `kubectl proxy` serves it on a socket in a folder that only this user can enter, never on a port.
 * A proxy that ends is started again by the next request.
 */
export class KubeApi {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pod-view-'));
  readonly #socket = join(this.#folder, 'api');
  #proxy: { readonly child: ChildProcess; readonly serves: Promise<void> } | undefined;
  #closed = false;

  /** Reads a response as text. @throws {KubeError} for a status from 400 on. */
  async read(path: string, { limit = LIMIT, ...options }: RequestOptions = {}): Promise<string> {
    const response = await this.open(path, options);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response) {
      length += chunk.length;
      if (length > limit) throw new KubeError(502, `the answer is longer than ${limit} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  /** Begins to read a response; the caller reads or destroys it. @throws {KubeError} as `read` does. */
  async open(path: string, options: Omit<RequestOptions, 'limit'> = {}): Promise<IncomingMessage> {
    if (this.#closed) throw new ExpectedError('the view is closed');
    this.#proxy ??= this.#start();
    await this.#proxy.serves;
    const response = await this.#get(path, options).catch((error) => {
      throw error instanceof ExpectedError
        ? error
        : new ExpectedError(`kubectl proxy does not answer: ${errorText(error)}`);
    });
    const { statusCode = 0 } = response;
    if (statusCode < 400) return response;
    throw new KubeError(statusCode, await messageOf(response));
  }

  #get(
    path: string,
    { signal, accept = 'application/json', timeout = PATIENCE }: RequestOptions,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        socketPath: this.#socket,
        path,
        agent: false,
        headers: { host: 'localhost', accept },
        ...(signal ? { signal } : {}),
      });
      const timer = setTimeout(() => {
        outgoing.destroy(new ExpectedError(`the API server did not answer in ${timeout / 1000} s`));
      }, timeout);
      outgoing.once('close', () => clearTimeout(timer));
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        clearTimeout(timer);
        // A broken connection ends the stream; its reader sees that.
        response.on('error', () => {});
        resolve(response);
      });
      outgoing.end();
    });
  }

  #start() {
    rmSync(this.#socket, { force: true });
    const words = ['proxy', `--unix-socket=${this.#socket}`, '--reject-methods=^(?:[^G]|G[^E])'];
    const child = spawn('kubectl', words, {
      env: childEnvironment({}),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const serves = new Promise<void>((resolve, reject) => {
      let said = '';
      const ended = (error?: Error) => {
        this.#proxy = undefined;
        reject(new ExpectedError(`kubectl proxy ended: ${error?.message ?? (said.trim() || '?')}`));
      };
      child.once('error', ended);
      child.once('close', () => ended());
      child.stderr.setEncoding('utf8').on('data', (text) => {
        said = (said + text).slice(-1000);
      });
      child.stdout.once('data', () => resolve());
      pause(PATIENCE).then(() => {
        reject(new ExpectedError(`kubectl proxy does not serve within ${PATIENCE / 1000} s`));
      });
    });
    // Requests wait for it; there may be none at the moment.
    serves.catch(() => {});
    return { child, serves };
  }

  close(): void {
    this.#closed = true;
    this.#proxy?.child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Returns the namespace of the current kubectl context.
 * @throws {ExpectedError} with kubectl's own words if there is none, or no kubectl.
 */
export function currentNamespace(): Promise<string> {
  const template = 'jsonpath={.contexts[0].context.namespace}';
  return new Promise((resolve, reject) => {
    execFile(
      'kubectl',
      ['config', 'view', '--minify', '-o', template],
      { env: childEnvironment({}) },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout.trim() || 'default');
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        const why = missing ? 'kubectl is not on the PATH: install it' : stderr.trim();
        reject(new ExpectedError(`--kube needs a kubectl context: ${why}`));
      },
    );
  });
}

async function messageOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) {
    text += chunk;
    if (text.length > 64 * 1024) break;
  }
  try {
    const { message } = JSON.parse(text);
    if (typeof message === 'string') return message;
  } catch {}
  return text.trim().slice(0, 500) || `status ${response.statusCode}`;
}
