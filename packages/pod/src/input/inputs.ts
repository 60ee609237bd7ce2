import { createReadStream, statSync } from 'node:fs';
import { errorText, type Fault, UsageError } from '@sidekit/core/tool';
import type { Policy } from '../manifest/findings.ts';
import type { Workload } from '../manifest/types.ts';
import { type ManifestFile, readWorkload } from '../manifest/workload.ts';
import { readBounded } from './bounded.ts';
import { manifestsOf } from './folder.ts';
import { download, isUrl, shownUrl } from './url.ts';

/**
 * Reads manifests from files, folders, URLs, and `-`, which is stdin.
 * @throws {UsageError} if one cannot be read, {ManifestError} with all faults of all files.
 */
export async function readInputs(names: readonly string[], policy?: Policy): Promise<Workload> {
  return readWorkload(await loadInputs(names), policy);
}

/** Reads the texts alone. @throws {UsageError} naming all that cannot be read. */
export async function loadInputs(names: readonly string[]): Promise<ManifestFile[]> {
  const faults: Fault[] = [];
  const loaded = await Promise.all(
    names.map((name) =>
      load(name).catch((error: unknown) => {
        faults.push({
          name: isUrl(name) ? shownUrl(name) : name,
          rule: `cannot be read (${errorText(error)})`,
          remedy: 'give the path of a manifest or of a folder, an https URL, or - for stdin',
        });
        return [];
      }),
    ),
  );
  if (faults.length > 0) throw new UsageError(faults);
  return loaded.flat();
}

async function load(name: string): Promise<ManifestFile[]> {
  if (name === '-') return [{ name: 'stdin', text: await readBounded(process.stdin) }];
  if (isUrl(name)) return [{ name: shownUrl(name), text: await download(name), remote: true }];
  const paths = statSync(name).isDirectory() ? manifestsOf(name) : [name];
  const files: ManifestFile[] = [];
  for (const path of paths) {
    const text = await readBounded(createReadStream(path)).catch((error: unknown) => {
      throw path === name ? error : new Error(`${path}: ${errorText(error)}`);
    });
    files.push({ name: path, text });
  }
  return files;
}
