import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A temporary folder that is removed with `using`, or at the latest when the process exits.
 * @param parent is not /tmp for programs, which it may forbid to load a native binding.
 */
export function temporaryFolder(
  prefix: string,
  parent: string = tmpdir(),
): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(parent, prefix));
  // A program that is being ended may still write into it.
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  process.once('exit', remove);
  return {
    path,
    [Symbol.dispose]() {
      process.off('exit', remove);
      remove();
    },
  };
}
