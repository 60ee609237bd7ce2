import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';
import type { Engine } from './engine.ts';

const IMAGE = 'sidekit/pod-toolbox:1';
/** Debian's busybox-static, and Alpine's, are static executables. */
const PROGRAMS = ['/usr/bin/busybox', '/bin/busybox', '/bin/busybox.static'];
const FROM_REGISTRY = 'docker.io/library/busybox:stable-musl';

/**
 * Creates the image of tools if it is missing: from this machine's busybox if it is static, else
 * from a registry.
 * @throws {ExpectedError} if there is neither.
 */
export async function ensureToolbox(engine: Engine): Promise<string> {
  if (await engine.image(IMAGE)) return IMAGE;
  const program = PROGRAMS.find((path) => existsSync(path) && isStatic(path));
  if (program !== undefined) {
    await engine.importImage(await toolboxTar(program), IMAGE, ['ENV PATH=/bin', 'CMD ["sh"]']);
    return IMAGE;
  }
  if (await engine.image(FROM_REGISTRY)) return FROM_REGISTRY;
  try {
    await engine.pull(FROM_REGISTRY);
    return FROM_REGISTRY;
  } catch {
    throw new ExpectedError(
      `no image of tools: install busybox-static, or give one that is here with --image (${FROM_REGISTRY} cannot be pulled)`,
    );
  }
}

/** A dynamic executable names its interpreter (ELF, PT_INTERP), which the image would not have. */
function isStatic(program: string): boolean {
  try {
    const head = execFileSync('head', ['-c', '4096', program]);
    return !head.includes('/ld-');
  } catch {
    return false;
  }
}

async function toolboxTar(program: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'sidekit-toolbox-'));
  try {
    for (const name of ['bin', 'tmp', 'proc', 'sys', 'dev', 'etc']) {
      mkdirSync(join(folder, name), { mode: name === 'tmp' ? 0o1777 : 0o755 });
    }
    await copyFile(program, join(folder, 'bin/busybox'));
    const names = execFileSync(program, ['--list']).toString().split('\n').filter(Boolean);
    for (const name of names) {
      if (name !== 'busybox') symlinkSync('busybox', join(folder, 'bin', name));
    }
    const args = ['-C', folder, '--owner=0', '--group=0', '--numeric-owner', '-cf', '-', '.'];
    return execFileSync('tar', args, { maxBuffer: 64 * 1024 * 1024 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
