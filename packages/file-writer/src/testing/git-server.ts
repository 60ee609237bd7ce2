import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; repositories are below it. */
  readonly url: string;
  /** The Git-Protocol headers of the requests so far. */
  readonly requests: string[];
  /** Responses are cut after so many bytes. */
  cutAfter: number;
}

/** Starts git's own server, `git http-backend`, behind a small CGI host (RFC 3875) on loopback. */
export async function startGitServer(
  root: string,
  options: { readonly credentials?: string; readonly protocol0?: boolean } = {},
): Promise<GitServer> {
  const backend = join(
    execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(),
    'git-http-backend',
  );
  if (!existsSync(backend)) throw new Error(`${backend} is missing: install Debian's package git`);
  const requests: string[] = [];
  const state = { cutAfter: Number.POSITIVE_INFINITY };
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const expected = options.credentials && `Basic ${btoa(options.credentials)}`;
    if (expected && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    runBackend(backend, root, request, response, options.protocol0 ?? false, state.cutAfter);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    set cutAfter(bytes: number) {
      state.cutAfter = bytes;
    },
    get cutAfter() {
      return state.cutAfter;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function runBackend(
  backend: string,
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  protocol0: boolean,
  cutAfter: number,
) {
  const url = new URL(request.url ?? '', 'http://localhost');
  const protocol = protocol0 ? undefined : request.headers['git-protocol'];
  const child = spawn(backend, {
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: root,
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: request.headers['content-length'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
      ...(protocol ? { GIT_PROTOCOL: String(protocol), HTTP_GIT_PROTOCOL: String(protocol) } : {}),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  let head = Buffer.alloc(0);
  let sent = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    let body = chunk;
    if (!response.headersSent) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      writeHead(response, head.toString('latin1', 0, end));
      body = head.subarray(end + 4);
    }
    sent += body.length;
    if (sent > cutAfter) response.destroy();
    else response.write(body);
  });
  child.stdout.on('end', () => response.end());
}

function writeHead(response: ServerResponse, text: string) {
  let status = 200;
  for (const line of text.split('\r\n')) {
    const [name = '', value = ''] = line.split(/: ?(.*)/s);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}
