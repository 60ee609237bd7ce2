import type { IncomingMessage } from 'node:http';
import { ExpectedError, errorText, UnavailableError } from '@sidekit/core/tool';

/** As an import, it would load Node's web client, too: a third of the time that a supervisor takes to start. */
const { request } = process.getBuiltinModule('node:http');

/** The most that is read of a response, in bytes. */
const LIMIT = 16 * 1024 * 1024;
/** The longest wait for a response, in milliseconds: a loaded machine may take long to start a container. */
const TIMEOUT = 120_000;

/** An answer of the engine that is an error. */
export class EngineError extends ExpectedError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  /** A tar archive instead of a JSON body. */
  readonly tar?: Buffer;
}

/**
 * The engine's HTTP API on its Unix socket (Docker: Engine API; Podman: Libpod and compatible
 * API). Responses are bounded in size and time. An engine that is not there is asked for by
 * `revive` once, and the request repeated: it was not sent.
 */
export class EngineApi {
  readonly #socket: string;
  readonly #revive: (() => Promise<void>) | undefined;

  constructor(socket: string, revive?: () => Promise<void>) {
    this.#socket = socket;
    this.#revive = revive;
  }

  /** Makes a call. @returns the JSON of the answer. @throws {EngineError} for a status from 400 on. */
  // biome-ignore lint/suspicious/noExplicitAny: each caller reads the few fields that it knows
  async call(method: string, path: string, options: CallOptions = {}): Promise<any> {
    const response = await this.open(method, path, options);
    const text = await readAll(response);
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw new EngineError(502, `the engine's answer to ${method} ${path} is not JSON`);
    }
  }

  /** Makes a call whose answer is a stream; the caller reads or destroys it. */
  async open(
    method: string,
    path: string,
    options: CallOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<IncomingMessage> {
    let response: IncomingMessage;
    try {
      response = await this.#send(method, path, options);
    } catch (error) {
      if (!this.#revive || !isAbsent(error)) throw this.#failure(error);
      await this.#revive();
      response = await this.#send(method, path, options).catch((again) => {
        throw this.#failure(again);
      });
    }
    const { statusCode = 0 } = response;
    if (statusCode < 400) return response;
    throw new EngineError(statusCode, messageOf(await readAll(response), statusCode));
  }

  #send(
    method: string,
    path: string,
    { query = {}, body, tar, signal }: CallOptions & { readonly signal?: AbortSignal },
  ): Promise<IncomingMessage> {
    const search = new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]));
    const content = tar ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
    const type = tar ? 'application/x-tar' : 'application/json';
    return new Promise((resolve, reject) => {
      const outgoing = request({
        socketPath: this.#socket,
        method,
        path: search.size > 0 ? `${path}?${search}` : path,
        agent: false,
        ...(signal ? { signal } : {}),
        headers: {
          host: 'engine',
          ...(content ? { 'content-type': type, 'content-length': content.length } : {}),
        },
      });
      const timer = setTimeout(() => {
        outgoing.destroy(new Error(`no answer within ${TIMEOUT / 1000} s`));
      }, TIMEOUT);
      outgoing.once('close', () => clearTimeout(timer));
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        clearTimeout(timer);
        // A broken connection ends the stream; its reader sees that.
        response.on('error', () => {});
        resolve(response);
      });
      outgoing.end(content);
    });
  }

  #failure(error: unknown): UnavailableError {
    return new UnavailableError(
      `the engine does not answer on ${this.#socket}: ${errorText(error)}`,
    );
  }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Reads a response to its end. @throws {EngineError} if it is too long or breaks off. */
async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => response.destroy(), TIMEOUT);
  try {
    for await (const chunk of response) {
      length += chunk.length;
      if (length > LIMIT) throw new Error(`it is longer than ${LIMIT} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    response.destroy();
    throw new EngineError(502, `the engine's answer cannot be read: ${errorText(error)}`);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Podman repeats its message as `cause`; Docker has `message` alone. */
function messageOf(text: string, status: number): string {
  try {
    const { message } = JSON.parse(text);
    if (typeof message === 'string' && message !== '') return message.trim();
  } catch {}
  return text.trim().slice(0, 500) || `status ${status}`;
}

/** Encodes an image reference or a name for a path: engines take slashes as they are. */
export function pathPart(name: string): string {
  return encodeURIComponent(name)
    .replaceAll('%2F', '/')
    .replaceAll('%3A', ':')
    .replaceAll('%40', '@');
}
