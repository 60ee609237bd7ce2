import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { eventually, freePort, TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { hostArchitecture } from '../../../images/architecture.ts';
import { makeBaseRootfs } from '../../../images/base-rootfs.ts';
import { canUnpackDebianPackages } from '../../../images/debian-packages.ts';

/**
 * A machine of somebody else: an ordinary user with Node and Podman and nothing else on the PATH,
 * and a registry on loopback with a stand-in for the base.
 */
const REGISTRY = '/usr/bin/docker-registry';
/** Podman, what it calls to enter a user namespace and to give it a network, and `rm`. */
const PROGRAMS = ['podman', 'newuidmap', 'newgidmap', 'slirp4netns', 'rm'];
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** The user that runs this, or, for root, the first one that has subordinate ids. */
function ordinaryUser(): User | undefined {
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()];
  if (uid !== 0) return { uid, gid };
  if (!existsSync('/etc/subuid')) return undefined;
  const owners = readFileSync('/etc/subuid', 'utf8').split('\n');
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , user, group] = line.split(':');
    if (Number(user) > 0 && owners.some((owner) => owner.startsWith(`${name}:`)))
      return { uid: Number(user), gid: Number(group) };
  }
  return undefined;
}

function find(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function obstacle(): string | false {
  if (process.env.SIDEKIT_LONG !== '1') return 'it takes minutes: npm run test:long -- pulled-base';
  if (!existsSync(REGISTRY)) return 'needs Debian’s docker-registry';
  if (!canUnpackDebianPackages()) return 'needs Debian for the stand-in of the base';
  if (!PROGRAMS.every(find)) return `needs ${PROGRAMS.join(', ')}`;
  return ordinaryUser() ? false : 'needs a user with subordinate ids (subuid(5))';
}

/** Whether rootless Podman can give a Pod a network. */
function hasNetwork({ uid }: User): boolean {
  if (!existsSync('/dev/net/tun')) return false;
  const { mode, uid: owner } = statSync('/dev/net/tun');
  return (mode & 0o006) === 0o006 || owner === uid;
}

test('with a base that is pulled, an ordinary user needs Node and an engine alone', {
  skip: obstacle(),
  timeout: 1_200_000,
}, async (context) => {
  const user = ordinaryUser() as User;
  using directory = temporaryDirectory('pulled');
  const at = (...parts: string[]) => join(directory.path, ...parts);
  chmodSync(directory.path, 0o755);
  for (const name of ['home', 'run', 'clone', 'bin', 'root']) mkdirSync(at(name), { mode: 0o755 });

  const port = await freePort();
  writeFileSync(
    at('registry.yml'),
    `version: 0.1
storage: { filesystem: { rootdirectory: ${at('registry')} } }
http: { addr: "127.0.0.1:${port}" }
`,
  );
  await using registry = new TestProcess(REGISTRY, ['serve', at('registry.yml')]);
  await eventually(() => fetch(`http://127.0.0.1:${port}/v2/`).then(({ ok }) => ok), {
    what: `the registry: ${registry.stderr}`,
  });

  const place = `127.0.0.1:${port}`;
  writeFileSync(at('registries.conf'), `[[registry]]\nlocation = "${place}"\ninsecure = true\n`);
  const base = `${place}/base:nonroot`;
  makeBaseRootfs(at('base.tar'), hostArchitecture());
  const settings = ['ENV PATH=/nodejs/bin', 'USER 65532:65532', 'ENTRYPOINT ["/nodejs/bin/node"]'];
  const podman = (...words: string[]) => {
    const own = ['--root', at('root'), '--runroot', at('root/run'), '--storage-driver', 'vfs'];
    execFileSync('podman', [...own, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  podman('import', ...settings.flatMap((one) => ['--change', one]), at('base.tar'), base);
  podman('push', '--tls-verify=false', '--digestfile', at('digest'), base);

  // A clone: the files of this one, and what npm ci installs.
  for (const path of execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n')) {
    if (!existsSync(path)) continue;
    mkdirSync(dirname(at('clone', path)), { recursive: true });
    cpSync(path, at('clone', path));
  }
  symlinkSync(resolve('node_modules'), at('clone/node_modules'));
  for (const program of PROGRAMS) symlinkSync(find(program) ?? '', at('bin', program));
  symlinkSync(process.execPath, at('bin/node'));
  const owner = `${user.uid}:${user.gid}`;
  execFileSync('chown', ['-R', owner, at('home'), at('run'), at('clone')]);
  chownSync(at('bin'), user.uid, user.gid);

  const task = async (...words: string[]) => {
    await using child = new TestProcess(process.execPath, ['scripts/run-task.ts', ...words], {
      ...user,
      cwd: at('clone'),
      env: {
        PATH: at('bin'),
        HOME: at('home'),
        XDG_RUNTIME_DIR: at('run'),
        CONTAINERS_REGISTRIES_CONF: at('registries.conf'),
        SIDEKIT_BASE: `${place}/base@${readFileSync(at('digest'), 'utf8').trim()}`,
      },
    });
    const { code } = await child.exited;
    assert.equal(code, 0, child.stdout + child.stderr);
    return child.stdout;
  };
  const built = await task('images', 'mq', 'wait-for');
  assert.match(built, new RegExp(`pull ${place}/base@sha256:[0-9a-f]{64}`));
  assert.match(built, new RegExp(`sidekit/mq:${version}\n.*sidekit/wait-for:${version}`));
  const again = await task('images', 'mq', 'wait-for');
  assert.doesNotMatch(again, /✓/, 'nothing is pulled or built twice');
  if (!hasNetwork(user)) return context.diagnostic('no demo: Podman cannot give a Pod a network');
  assert.match(await task('demo', '--only', 'message-queue'), /message-queue +worked/);
});
