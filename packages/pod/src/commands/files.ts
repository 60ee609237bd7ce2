import { readFileSync, statSync } from 'node:fs';
import { type ExitCode, errorText, type Fault, UsageError } from '@sidekit/core/tool';
import { MAX_MANIFEST } from '../manifest/document.ts';
import type { Policy } from '../manifest/findings.ts';
import type { Workload } from '../manifest/types.ts';
import { type ManifestFile, readWorkload } from '../manifest/workload.ts';

/**
 * Reads manifest files; `-` is stdin.
 * @throws {UsageError} if a file cannot be read, {ManifestError} with all faults of all files.
 */
export function readFiles(names: readonly string[], policy?: Policy): Workload {
  const faults: Fault[] = [];
  const files: ManifestFile[] = [];
  for (const name of names) {
    try {
      if (name !== '-' && statSync(name).size > MAX_MANIFEST) throw new Error('larger than 3 MiB');
      const text = readFileSync(name === '-' ? 0 : name, 'utf8');
      files.push({ name: name === '-' ? 'stdin' : name, text });
    } catch (error) {
      faults.push({
        name,
        rule: `cannot be read (${errorText(error)})`,
        remedy: 'give the path of a manifest, or - for stdin',
      });
    }
  }
  if (faults.length > 0) throw new UsageError(faults);
  return readWorkload(files, policy);
}

/** Exit code of a command that a signal ended, as a shell shows it. */
export const INTERRUPTED = 130 as ExitCode;
