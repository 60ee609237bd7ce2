import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, PLATFORMS } from './architecture.ts';
import { temporaryFolder } from './temporary.ts';

/** The Debian release of the libraries: that of the distroless base. */
export const RELEASE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks Debian packages of `RELEASE` into `directory`, for any architecture and as any user:
 * nothing of them is run, and their dependencies are not followed. apt downloads them from this
 * machine's mirror and verifies them, with state of its own.
 * @throws Error if apt has no mirror of Debian, or with what apt printed.
 */
export function unpackDebianPackages(
  packages: readonly string[],
  architecture: Architecture,
  directory: string,
): void {
  using folder = temporaryFolder('sidekit-apt-');
  const work = folder.path;
  const env = { ...process.env, APT_CONFIG: writeConfiguration(work, architecture) };
  const apt = (...words: string[]) =>
    execFileSync('apt-get', ['-qq', ...words], {
      cwd: work,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  apt('update');
  apt('download', ...packages.map((name) => `${name}:${PLATFORMS[architecture]}`));
  mkdirSync(directory, { recursive: true });
  for (const archive of globSync('*.deb', { cwd: work })) {
    execFileSync('dpkg-deb', ['-x', join(work, archive), directory]);
  }
}

/** Whether apt of this machine can: on Ubuntu, say, it has neither a mirror nor the keys of Debian. */
export function canUnpackDebianPackages(): boolean {
  return existsSync(KEYRING) && debianMirror() !== undefined;
}

/** An apt.conf whose sources, lists and caches are all below `work`. */
function writeConfiguration(work: string, architecture: Architecture): string {
  const uri = debianMirror();
  if (uri === undefined) {
    throw new Error(
      'Debian packages can be unpacked on Debian only: use a base image that is pulled',
    );
  }
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  mkdirSync(join(work, 'archives/partial'), { recursive: true });
  writeFileSync(join(work, 'status'), '');
  const platform = PLATFORMS[architecture];
  writeFileSync(
    join(work, 'sources.list'),
    `deb [arch=${platform} signed-by=${KEYRING}] ${uri} ${RELEASE} main\n`,
  );
  const settings = {
    'APT::Architecture': platform,
    'APT::Architectures': platform,
    // As root, apt would change to a user that may not enter this directory.
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Dir::Cache': work,
    'Dir::State': work,
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Etc::SourceList': join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
  };
  const path = join(work, 'apt.conf');
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(path, lines.join(''));
  return path;
}

/** The Debian mirror of this machine's apt, if it has one. */
function debianMirror(): string | undefined {
  const format = '$(ORIGIN) $(REPO_URI)';
  let targets = '';
  try {
    targets = execFileSync(
      'apt-get',
      ['indextargets', '--format', format, 'Created-By: Packages'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
  } catch {}
  const uris = targets.split('\n').flatMap((line) => /^Debian (\S+)$/.exec(line)?.[1] ?? []);
  return uris.find((one) => !one.includes('security'));
}
