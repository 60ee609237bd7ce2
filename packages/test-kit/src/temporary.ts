import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory that is removed with `using`, or when the test calls `remove`. */
export function temporaryDirectory(name = 'test'): Disposable & { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `sidekit-${name}-`));
  const remove = () => rmSync(path, { recursive: true, force: true });
  return { path, remove, [Symbol.dispose]: remove };
}
