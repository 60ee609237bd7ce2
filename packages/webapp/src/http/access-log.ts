import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Formats one line of the combined log format of Apache and nginx, without its line feed. */
export function combinedLine(
  request: IncomingMessage,
  response: ServerResponse,
  now: Date,
  client: string = request.socket.remoteAddress ?? '-',
): string {
  const { method, url, httpVersion, headers } = request;
  const bytes = method === 'HEAD' ? 0 : (response.getHeader('content-length') ?? 0);
  return `${client} - - [${time(now)}] "${escaped(`${method} ${url} HTTP/${httpVersion}`)}" ${response.statusCode} ${bytes} "${escaped(headers.referer ?? '-')}" "${escaped(headers['user-agent'] ?? '-')}"`;
}

function time(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${two(now.getUTCDate())}/${MONTHS[now.getUTCMonth()]}/${now.getUTCFullYear()}`;
  return `${date}:${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`;
}

/** Escapes what would end the quotes or the line, as nginx does. */
function escaped(text: string): string {
  return text.replace(/["\\\x00-\x1f\x7f-\uffff]/g, (character) =>
    // Node reads heads as Latin-1, one character per byte.
    [...Buffer.from(character, 'latin1')]
      .map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/** Writes lines to stdout, or to a file that is opened again after a rotation. */
export class LogWriter {
  readonly #path: string | undefined;
  readonly #failed: (error: unknown) => void;
  #fd = 1;
  #checked = 0;

  /** @param failed receives the reason for a lost line: a full disk must not end the application. */
  constructor(path: string | undefined, failed: (error: unknown) => void = () => {}) {
    this.#path = path;
    this.#failed = failed;
    if (path !== undefined) this.#fd = openSync(path, 'a', 0o644);
  }

  write(line: string, now: number = Date.now()): void {
    if (this.#path === undefined) {
      // Unlike writeSync, it waits for a slow reader.
      process.stdout.write(`${line}\n`);
      return;
    }
    try {
      if (now - this.#checked >= 100) {
        this.#checked = now;
        this.#reopenIfRotated(this.#path);
      }
      writeSync(this.#fd, `${line}\n`);
    } catch (error) {
      this.#failed(error);
    }
  }

  close(): void {
    if (this.#path !== undefined) closeSync(this.#fd);
  }

  #reopenIfRotated(path: string) {
    try {
      if (statSync(path).ino === fstatSync(this.#fd).ino) return;
    } catch {}
    const fresh = openSync(path, 'a', 0o644);
    closeSync(this.#fd);
    this.#fd = fresh;
  }
}
