import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually, freePort, TestProcess } from '@sidekit/test-kit';
import { FCGIWRAP } from './nginx.ts';

const PROGRAM = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';

/** Why the real servers of Debian's packages cannot run here; false if they can. */
export const missingServers: string | false =
  [PROGRAM, '/usr/bin/tinyproxy', '/usr/sbin/nginx', FCGIWRAP]
    .filter((path) => !existsSync(path))
    .map((path) => `${path} is missing`)
    .join(', ') || false;

/** Starts Apache with git http-backend under `/git/`, over TLS and with basic authentication. */
export async function startApache(
  directory: string,
  { cert, key }: { readonly cert: string; readonly key: string },
): Promise<{ readonly port: number } & AsyncDisposable> {
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  const password = execFileSync('openssl', ['passwd', '-apr1', 'hush word'], { encoding: 'utf8' });
  writeFileSync(join(directory, 'users'), `user:${password}`);
  const backend = join(
    execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(),
    'git-http-backend',
  );
  const modules = ['mpm_event', 'ssl', 'cgi', 'alias', 'rewrite', 'env', 'auth_basic'].concat([
    'authn_core',
    'authn_file',
    'authz_core',
    'authz_user',
    'setenvif',
  ]);
  const config = join(directory, 'apache.conf');
  writeFileSync(
    config,
    `${modules.map((one) => `LoadModule ${one}_module ${MODULES}/mod_${one}.so`).join('\n')}
    ServerName localhost
    Listen 127.0.0.1:${port}
    PidFile ${directory}/apache.pid
    DefaultRuntimeDir ${directory}
    Mutex file:${directory} default
    ErrorLog ${directory}/error.log
    User #65534
    Group #65534
    SSLEngine on
    SSLCertificateFile ${cert}
    SSLCertificateKeyFile ${key}
    SetEnv GIT_PROJECT_ROOT ${directory}/..
    SetEnv GIT_HTTP_EXPORT_ALL
    # git refuses repositories of another user.
    SetEnv GIT_CONFIG_COUNT 1
    SetEnv GIT_CONFIG_KEY_0 safe.directory
    SetEnv GIT_CONFIG_VALUE_0 *
    SetEnvIf Git-Protocol ".*" GIT_PROTOCOL=$0
    ScriptAlias /git/ ${backend}/
    RewriteEngine on
    RewriteRule ^/moved/(.*)$ /git/$1 [R=301,L]
    <Location />
      AuthType Basic
      AuthName git
      AuthUserFile ${directory}/users
      Require valid-user
    </Location>`,
  );
  const apache = new TestProcess(PROGRAM, ['-X', '-f', config]);
  await eventually(() => isOpen(port), { what: `Apache on port ${port}: ${apache.stderr}` });
  return { port, [Symbol.asyncDispose]: () => apache[Symbol.asyncDispose]() };
}

/** Starts tinyproxy on loopback; its log tells which requests passed. */
export async function startTinyproxy(
  directory: string,
): Promise<{ readonly port: number; readonly log: string } & AsyncDisposable> {
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  const [config, log] = [join(directory, 'tinyproxy.conf'), join(directory, 'tinyproxy.log')];
  writeFileSync(
    config,
    `Port ${port}\nListen 127.0.0.1\nTimeout 60\nLogFile "${log}"\nLogLevel Connect\nMaxClients 20\nAllow 127.0.0.1\nBasicAuth proxyuser proxypass\n`,
  );
  const proxy = new TestProcess('/usr/bin/tinyproxy', ['-d', '-c', config]);
  await eventually(() => isOpen(port), { what: `tinyproxy on port ${port}: ${proxy.stderr}` });
  return { port, log, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
