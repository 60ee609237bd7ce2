import { existsSync } from 'node:fs';
import { step } from './output.ts';
import { run, succeeds } from './run.ts';

/** The Debian packages that the project's commands use, each with its reason. */
export const PODMAN_PACKAGES: readonly string[] = [
  'podman',
  'netavark', // Pod networks
  'aardvark-dns',
  'runc', // crun refuses the hybrid cgroups of some machines
  'catatonit', // the Pod's pause process
  'iptables',
];
export const BASE_PACKAGES: readonly string[] = ['binutils'];
/** Counterparts that the unit tests run against, and the compiler of the benchmarks' peers. */
export const TEST_PACKAGES: readonly string[] = [
  'apache2-bin',
  'chromium',
  'fcgiwrap',
  'git',
  'gunicorn',
  'haproxy',
  'logrotate',
  'nginx-light',
  'openssl',
  'strace',
  'tinyproxy-bin',
  'gcc',
  'libc6-dev',
];

/** Whether this is Debian, as root. */
export function canInstallDebianPackages(): boolean {
  return existsSync('/etc/debian_version') && process.getuid?.() === 0;
}

/**
 * Installs the packages that are missing and says so.
 * @throws Error naming them where this is not Debian or not root.
 */
export async function ensureDebianPackages(names: readonly string[], why: string): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await installed(name))) missing.push(name);
  if (missing.length === 0) return;
  if (!canInstallDebianPackages()) {
    throw new Error(
      `${why} needs ${missing.join(', ')}: install ${missing.length > 1 ? 'them' : 'it'} and try again`,
    );
  }
  await step(`install ${missing.join(', ')} from Debian's packages (${why})`, async () => {
    const apt = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
    await run('apt-get', ['update', '-qq'], apt);
    // Another installation, such as unattended upgrades, may have the lock for minutes.
    const options = ['-o', 'DPkg::Lock::Timeout=600', '-y', '-qq', '--no-install-recommends'];
    // Services of packages such as nginx must not start.
    await run('apt-get', ['install', ...options, ...missing], {
      env: { ...apt.env, RUNLEVEL: '1' },
    });
  });
}

function installed(name: string): Promise<boolean> {
  return succeeds('dpkg-query', ['-W', '-f', '$' + '{db:Status-Status}', name]).then(
    async (known) =>
      known &&
      (await run('dpkg-query', ['-W', '-f', '$' + '{db:Status-Status}', name])) === 'installed',
  );
}
