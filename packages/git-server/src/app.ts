import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createGunzip } from 'node:zlib';
import { errorText, type Log } from '@sidekit/core';
import type { Git } from './git.ts';
import type { Repository } from './repository.ts';

/** The largest file that PUT accepts, in bytes. */
const LIMIT = 1024 * 1024;
const SERVICES = ['git-upload-pack', 'git-receive-pack'];

/** Serves smart HTTP (gitprotocol-http(5)) by git's upload-pack and receive-pack. */
export function createGitServer(git: Git, repository: Repository, log: Log): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, page = ''] = /^\/site(?:\.git)?\/(.+)$/.exec(url.pathname) ?? [];
    const service = page === 'info/refs' ? (url.searchParams.get('service') ?? '') : page;
    const file = /^files\/([\w][\w./-]*)$/.exec(page)?.[1];
    if (request.method === 'PUT' && file !== undefined && !file.includes('..')) {
      commitFile(repository, file, request, response, log);
    } else if (
      SERVICES.includes(service) &&
      request.method === (page === 'info/refs' ? 'GET' : 'POST')
    ) {
      serve(git, repository.path, service, page === 'info/refs', request, response);
    } else {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('see /site.git\n');
    }
  });
}

function serve(
  git: Git,
  path: string,
  service: string,
  advertise: boolean,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const protocol = String(request.headers['git-protocol'] ?? '');
  const command = service.slice('git-'.length);
  response.writeHead(200, {
    'content-type': `application/x-${service}-${advertise ? 'advertisement' : 'result'}`,
    'cache-control': 'no-store',
  });
  if (advertise && !protocol.includes('version=2')) {
    const line = `# service=${service}\n`;
    response.write(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`);
  }
  const child = git.start(
    [command, '--stateless-rpc', ...(advertise ? ['--http-backend-info-refs'] : []), path],
    protocol,
  );
  const body =
    request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
  if (child.stdin) body.pipe(child.stdin).on('error', () => {});
  child.stdout?.pipe(response);
  child.stderr?.resume();
  child.once('error', () => response.destroy());
  response.once('close', () => child.kill());
}

async function commitFile(
  repository: Repository,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  log: Log,
) {
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > LIMIT) return void response.writeHead(413).end();
      chunks.push(chunk);
    }
    await repository.commit(new Map([[path, Buffer.concat(chunks)]]), `Write ${path}`);
    log.info('committed', { event: 'committed', path });
    response.writeHead(201).end();
  } catch (error) {
    log.warn('not committed', { event: 'commit_failed', path, error: errorText(error) });
    response.writeHead(500).end(`${errorText(error)}\n`);
  }
}
