import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';

/** Mounts a volume of a given size; this needs root. */
export function volume(path: string, size: string): Disposable {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', path]);
  return { [Symbol.dispose]: () => void execFileSync('umount', ['-l', path]) };
}

/** Fills a volume. */
export function fill(path: string): void {
  const chunk = Buffer.alloc(4096);
  assert.throws(
    () => {
      for (;;) writeFileSync(path, chunk, { flag: 'a' });
    },
    { code: 'ENOSPC' },
  );
}
