import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { hostArchitecture } from '../../images/architecture.ts';
import { canUnpackDebianPackages, unpackDebianPackages } from '../../images/debian-packages.ts';
import { step } from './output.ts';
import { run } from './run.ts';

const CACHE = '.cache/kubectl';
/** The first kustomize of kubectl 1.27: native sidecars and Components as they are today. */
const KUSTOMIZE_MAJOR = 5;

/**
 * A kubectl that renders Kustomize components: the installed one, or else that of a newer Debian,
 * unpacked in the clone and not installed.
 * @throws Error naming what to install where neither can be had.
 */
export async function findKubectl(): Promise<string> {
  if (await renders('kubectl')) return 'kubectl';
  const own = resolve(CACHE, 'usr/bin/kubectl');
  if (existsSync(own)) return own;
  if (!canUnpackDebianPackages()) {
    throw new Error('the tests of the components need kubectl 1.27 or later: install it');
  }
  await step("get kubectl from Debian's packages (it renders the components)", () =>
    unpackDebianPackages(['kubectl'], hostArchitecture(), CACHE),
  );
  return own;
}

async function renders(kubectl: string): Promise<boolean> {
  try {
    const { kustomizeVersion } = JSON.parse(await run(kubectl, ['version', '--client', '-o=json']));
    return Number(/^v(\d+)/.exec(kustomizeVersion)?.[1]) >= KUSTOMIZE_MAJOR;
  } catch {
    return false;
  }
}
