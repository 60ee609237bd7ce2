import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Architecture } from './bundle.ts';
import { checkMachine } from './elf.ts';
import { nodeBinary, nodeLicence } from './node-binary.ts';

/** The Debian release of the libraries: that of the distroless base. */
export const RELEASE = 'trixie';
/** Debian's names of the architectures, which are also those of an image's platform. */
export const PLATFORMS: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };
const STRIP: Readonly<Record<Architecture, string>> = {
  x64: process.arch === 'x64' ? 'strip' : 'x86_64-linux-gnu-strip',
  arm64: process.arch === 'arm64' ? 'strip' : 'aarch64-linux-gnu-strip',
};
const PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'ca-certificates', 'tzdata'];

/** What is kept of those packages: no programs, no character sets, no documentation but licences. */
const KEPT = [
  'usr/lib/*-linux-gnu/{libc,libm,libdl,libpthread,librt,libresolv,libnss_dns,libnss_files}.so.*',
  'usr/lib/*-linux-gnu/{ld-linux-*,libstdc++,libgcc_s,libatomic}.so*',
  'usr/lib/ld-linux-*',
  'usr/lib64/*',
  'usr/share/zoneinfo',
  'usr/share/doc/*/copyright',
];

/** Everything that the base is made of, for deciding whether it must be made anew. */
export const BASE_INPUTS = [RELEASE, ...PACKAGES, ...KEPT];

/**
 * Makes the tar of the base's root folder: distroless in content, from Debian's packages.
 * Needs mmdebstrap, strip (binutils, for another architecture its own) and GNU tar. Nothing of it
 * is run, so any machine makes the base of any architecture.
 */
export function makeBaseRootfs(tar: string, architecture: Architecture): void {
  const work = mkdtempSync(join(tmpdir(), 'sidekit-base-'));
  try {
    const debian = join(work, 'debian');
    const root = join(work, 'root');
    extractPackages(debian, architecture);
    for (const path of globSync(KEPT, { cwd: debian })) copy(debian, root, path);
    addCertificates(debian, root);
    addSystemFiles(root);
    addNode(root, architecture);
    mkdirSync(dirname(tar), { recursive: true });
    execFileSync('tar', [
      ...['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'],
      ...['-C', root, '-cf', tar, '.'],
    ]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function extractPackages(target: string, architecture: Architecture) {
  execFileSync(
    'mmdebstrap',
    [
      ...['--quiet', '--variant=extract', `--architectures=${PLATFORMS[architecture]}`],
      ...[`--include=${PACKAGES.join(',')}`, RELEASE, target],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
}

function copy(from: string, to: string, path: string) {
  cpSync(join(from, path), join(to, path), { recursive: true, verbatimSymlinks: true });
}

/** What the package's maintainer script would do: all authorities in one file. */
function addCertificates(debian: string, root: string) {
  const directory = join(debian, 'usr/share/ca-certificates/mozilla');
  const bundle = globSync('*.crt', { cwd: directory })
    .toSorted()
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('');
  const target = join(root, 'etc/ssl/certs/ca-certificates.crt');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bundle);
}

function addSystemFiles(root: string) {
  const files = {
    'etc/passwd':
      'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
    'etc/group': 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n',
    'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    'etc/os-release':
      'PRETTY_NAME="sidekit base"\nNAME="Debian GNU/Linux"\nID="debian"\nVERSION_ID="13"\n',
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  mkdirSync(join(root, 'home/nonroot'), { recursive: true });
  mkdirSync(join(root, 'tmp'));
  chmodSync(join(root, 'tmp'), 0o1777);
  symlinkSync('usr/lib', join(root, 'lib'));
  if (existsSync(join(root, 'usr/lib64'))) symlinkSync('usr/lib64', join(root, 'lib64'));
}

function addNode(root: string, architecture: Architecture) {
  const target = join(root, 'nodejs/bin/node');
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(nodeBinary(architecture), target);
  execFileSync(STRIP[architecture], [target]);
  checkMachine(target, architecture);
  chmodSync(target, 0o755);
  const copyright = join(root, 'usr/share/doc/nodejs/copyright');
  mkdirSync(dirname(copyright), { recursive: true });
  copyFileSync(nodeLicence(architecture), copyright);
}
