import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { RELEASE, unpackDebianPackages } from './debian-packages.ts';
import { checkMachine } from './elf.ts';
import { nodeBinary, nodeLicence } from './node-binary.ts';
import { temporaryFolder } from './temporary.ts';

/** GNU's names of the programs that remove symbols, which make up a fifth of Node's binary. */
const STRIP: Readonly<Record<Architecture, string>> = {
  x64: 'x86_64-linux-gnu-strip',
  arm64: 'aarch64-linux-gnu-strip',
};
const PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'ca-certificates', 'tzdata'];

/** The files of those packages that are kept: no programs, no character sets, no documentation but licences. */
const KEPT = [
  'usr/lib/*-linux-gnu/{libc,libm,libdl,libpthread,librt,libresolv,libnss_dns,libnss_files}.so.*',
  'usr/lib/*-linux-gnu/{ld-linux-*,libstdc++,libgcc_s,libatomic}.so*',
  'usr/lib/ld-linux-*',
  'usr/lib64/*',
  'usr/share/zoneinfo',
  'usr/share/doc/*/copyright',
];

/** Everything that the base is made of, which decides whether it must be rebuilt. */
export const BASE_INPUTS = [RELEASE, ...PACKAGES, ...KEPT];

/**
 * Makes the tar of the base's root folder: distroless in content, from Debian's packages and npm's
 * Node. Needs Debian's apt and GNU tar, and strip (binutils) for the smaller Node; no root and no
 * chroot. Nothing of it is run, so any machine makes the base of any architecture.
 */
export function makeBaseRootfs(tar: string, architecture: Architecture): void {
  using folder = temporaryFolder('sidekit-base-');
  const work = folder.path;
  const debian = join(work, 'debian');
  const root = join(work, 'root');
  unpackDebianPackages(PACKAGES, architecture, debian);
  for (const path of globSync(KEPT, { cwd: debian })) copy(debian, root, path);
  addCertificates(debian, root);
  addSystemFiles(root);
  addNode(root, architecture);
  mkdirSync(dirname(tar), { recursive: true });
  execFileSync('tar', [
    ...['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'],
    ...['-C', root, '-cf', tar, '.'],
  ]);
}

function copy(from: string, to: string, path: string) {
  cpSync(join(from, path), join(to, path), { recursive: true, verbatimSymlinks: true });
}

/** Puts all certificate authorities into one file, as the package's maintainer script would. */
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
  try {
    execFileSync(STRIP[architecture], [target]);
  } catch (error) {
    // Without strip the image is larger, and otherwise the same.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  checkMachine(target, architecture);
  chmodSync(target, 0o755);
  const copyright = join(root, 'usr/share/doc/nodejs/copyright');
  mkdirSync(dirname(copyright), { recursive: true });
  copyFileSync(nodeLicence(architecture), copyright);
}
