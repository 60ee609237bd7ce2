/**
 * Runs in namespaces of mounts and processes: adds an ordinary user to what this machine shows there,
 * and runs a command as that user in the clone. `FOLDER GROUP COMMAND…`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAME, RANGE, USER } from './user.ts';

/** Variables of the caller that the user has, too. */
const KEPT = ['CI', 'NO_COLOR', 'POD_ENGINE', 'SIDEKIT_LONG', 'SIDEKIT_RUNS', 'TERM'];

const [folder = '', group = '', ...words] = process.argv.slice(2);
const inFolder = (name: string) => join(folder, name);
const run = (program: string, ...args: string[]) => execFileSync(program, args);

writeFileSync(inFolder('storage.conf'), '[storage]\ndriver = "overlay"\n');
addUser();
openTun();
// A new one, as after a log-in: what it held named processes of other namespaces.
const owner = `mode=0700,uid=${USER},gid=${USER}`;
run('mount', '-t', 'tmpfs', '-o', owner, 'tmpfs', inFolder('run'));
enterClone();
const flags = [`--reuid=${USER}`, `--regid=${USER}`, `--groups=${group}`];
const child = spawn('setpriv', [...flags, '--', ...words], {
  stdio: 'inherit',
  env: environment(),
});
child.once('error', ({ message }) => {
  console.error(message);
  process.exitCode = 1;
});
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});

function addUser() {
  const passwd = `${NAME}:x:${USER}:${USER}::${inFolder('home')}:/bin/sh\n`;
  replace('passwd', readFileSync('/etc/passwd', 'utf8') + passwd);
  replace('group', `${readFileSync('/etc/group', 'utf8')}${NAME}:x:${USER}:\n`);
  for (const name of ['subuid', 'subgid']) replace(name, `${NAME}:${RANGE}\n`);
}

/** Shows another file of /etc in its place. */
function replace(name: string, text: string) {
  if (!existsSync(`/etc/${name}`)) return;
  writeFileSync(inFolder(name), text);
  run('mount', '--bind', inFolder(name), `/etc/${name}`);
}

/** The device is open to everyone where udev sets it up; a bare machine has it for root alone. */
function openTun() {
  if (!existsSync('/dev/net/tun')) return;
  if (!existsSync(inFolder('tun'))) run('mknod', inFolder('tun'), 'c', '10', '200');
  chmodSync(inFolder('tun'), 0o666);
  run('mount', '--bind', inFolder('tun'), '/dev/net/tun');
}

/** Shows the clone below a folder that the user can enter; only its dist can be written. */
function enterClone() {
  const clone = inFolder('clone');
  mkdirSync('dist', { recursive: true });
  run('mount', '--bind', process.cwd(), clone);
  run('mount', '--bind', inFolder('dist'), join(clone, 'dist'));
  process.chdir(clone);
}

function environment(): NodeJS.ProcessEnv {
  const kept = KEPT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(kept),
    HOME: inFolder('home'),
    USER: NAME,
    LOGNAME: NAME,
    XDG_RUNTIME_DIR: inFolder('run'),
    PATH: `${inFolder('clone')}/node_modules/.bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    NODE_COMPILE_CACHE: inFolder('home/compiled'),
    // Podman's own choice is vfs where /dev/fuse is closed, which copies each image for each container.
    CONTAINERS_STORAGE_CONF: inFolder('storage.conf'),
  };
}
