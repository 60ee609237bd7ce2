import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, freePort, TestProcess } from '@sidekit/test-kit';

/** Starts a real nginx on loopback that serves `root`; `location` adds directives to its server. */
export async function startNginx(
  directory: string,
  { location = '', tls }: { location?: string; tls?: { cert: string; key: string } } = {},
): Promise<{ url: string; root: string } & AsyncDisposable> {
  const program = '/usr/sbin/nginx';
  if (!existsSync(program))
    throw new Error(`${program} is missing: install Debian's package nginx`);
  const port = await freePort();
  const root = join(directory, 'www');
  mkdirSync(root, { recursive: true });
  const security = tls ? `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};` : '';
  const config = join(directory, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${directory}/nginx.pid; error_log stderr error;
    events {}
    http {
      access_log off;
      default_type application/octet-stream;
      types { text/html html; text/plain txt; }
      client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
      fastcgi_temp_path ${directory}/fastcgi; uwsgi_temp_path ${directory}/uwsgi;
      scgi_temp_path ${directory}/scgi;
      gzip on; gzip_types text/plain; gzip_min_length 100;
      server { listen 127.0.0.1:${port} ${tls ? 'ssl' : ''}; ${security} root ${root}; ${location} }
    }`,
  );
  const nginx = new TestProcess(program, ['-c', config, '-e', 'stderr', '-p', directory]);
  const { connect } = await import('node:net');
  await eventually(
    () =>
      new Promise<boolean>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', reject);
      }),
    { what: `nginx on port ${port}: ${nginx.stderr}` },
  );
  return {
    url: `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}`,
    root,
    [Symbol.asyncDispose]: () => nginx[Symbol.asyncDispose](),
  };
}
