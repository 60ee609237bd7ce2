import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { eventually, freePort, TestProcess } from '@sidekit/test-kit';

/** A server of Debian's packages. */
export interface RealUpstream {
  readonly name: string;
  readonly program: string;
  /** Writes its configuration; returns the arguments. */
  readonly configure: (directory: string, port: number) => string[];
}

const MODULES = '/usr/lib/apache2/modules';
const WSGI = `def app(env, start):
    size = 0
    while True:
        piece = env['wsgi.input'].read(65536)
        if not piece:
            break
        size += len(piece)
    text = '%s %s %d %s' % (env['REQUEST_METHOD'], env['PATH_INFO'], size, env.get('HTTP_X_FORWARDED_FOR'))
    start('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(text)))])
    return [] if env['REQUEST_METHOD'] == 'HEAD' else [text.encode()]
`;

export const APACHE: RealUpstream = {
  name: 'Apache',
  program: '/usr/sbin/apache2',
  configure: (directory, port) => {
    writeFileSync(join(directory, 'index.html'), 'hello from Apache\n');
    const config = join(directory, 'apache.conf');
    const modules = ['mpm_event', 'authz_core', 'dir'].map(
      (one) => `LoadModule ${one}_module ${MODULES}/mod_${one}.so`,
    );
    writeFileSync(
      config,
      `${modules.join('\n')}
      ServerName localhost
      Listen 127.0.0.1:${port}
      PidFile ${directory}/apache.pid
      DefaultRuntimeDir ${directory}
      ErrorLog ${directory}/error.log
      User #65534
      Group #65534
      DocumentRoot ${directory}
      DirectoryIndex index.html
      KeepAliveTimeout 1`,
    );
    return ['-X', '-f', config];
  },
};

export const HAPROXY: RealUpstream = {
  name: 'HAProxy',
  program: '/usr/sbin/haproxy',
  configure: (directory, port) => {
    const config = join(directory, 'haproxy.cfg');
    writeFileSync(
      config,
      `defaults
  mode http
  timeout client 10s
  timeout connect 1s
  timeout server 10s
  timeout http-keep-alive 1s
frontend all
  bind 127.0.0.1:${port}
  http-request return status 403 if { path /secret }
  http-request return status 200 content-type text/plain string "hello from HAProxy"
`,
    );
    return ['-db', '-f', config];
  },
};

export const GUNICORN: RealUpstream = {
  name: 'gunicorn',
  program: '/usr/bin/gunicorn',
  configure: (directory, port) => {
    writeFileSync(join(directory, 'sidekit_app.py'), WSGI);
    const options = ['--workers=1', '--threads=4', '--keep-alive=1', `--chdir=${directory}`];
    return [...options, `--bind=127.0.0.1:${port}`, 'sidekit_app:app'];
  },
};

/** Why a server cannot run here; false if it can. */
export function missing({ program }: RealUpstream): string | false {
  return existsSync(program) ? false : `${program} is missing`;
}

/** Starts a server on loopback. */
export async function startReal(
  { name, program, configure }: RealUpstream,
  directory: string,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  const server = new TestProcess(program, configure(directory, port));
  await eventually(
    () =>
      new Promise<boolean>((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', reject);
      }),
    { what: `${name} on port ${port}: ${server.stderr}` },
  );
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
