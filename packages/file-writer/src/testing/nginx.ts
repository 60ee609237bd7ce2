import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, freePort, TestProcess } from '@sidekit/test-kit';

export const FCGIWRAP = '/usr/sbin/fcgiwrap';

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

/**
 * Starts nginx with git http-backend under `/git/`, over TLS and with basic authentication; a
 * redirect leads there from `/moved/`. nginx speaks FastCGI only: fcgiwrap runs the CGI program.
 */
export async function startNginxWithGit(
  directory: string,
  root: string,
  tls: { cert: string; key: string },
): Promise<{ url: string } & AsyncDisposable> {
  mkdirSync(directory, { recursive: true });
  const password = execFileSync('openssl', ['passwd', '-apr1', 'hush word'], { encoding: 'utf8' });
  const [users, socket] = [join(directory, 'users'), join(directory, 'cgi.sock')];
  writeFileSync(users, `user:${password}`);
  const backend = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim();
  const wrapper = new TestProcess(FCGIWRAP, ['-s', `unix:${socket}`]);
  await eventually(() => existsSync(socket), { what: `fcgiwrap: ${wrapper.stderr}` });
  const location = `
    auth_basic git; auth_basic_user_file ${users};
    client_max_body_size 0;
    location ~ ^/moved/(.*)$ { return 301 $scheme://$http_host/git/$1$is_args$args; }
    location ~ ^/git(/.*)$ {
      fastcgi_pass unix:${socket};
      fastcgi_param SCRIPT_FILENAME ${backend}/git-http-backend;
      fastcgi_param PATH_INFO $1;
      fastcgi_param GIT_PROJECT_ROOT ${root};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param REMOTE_USER $remote_user;
      # git refuses repositories of another user.
      fastcgi_param GIT_CONFIG_COUNT 1;
      fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
      fastcgi_param GIT_CONFIG_VALUE_0 *;
    }`;
  const nginx = await startNginx(directory, { location, tls });
  return {
    url: nginx.url,
    [Symbol.asyncDispose]: async () => {
      await nginx[Symbol.asyncDispose]();
      await wrapper[Symbol.asyncDispose]();
    },
  };
}
