import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** More manifests in one folder are a mistake, such as a folder of packages. */
const MAX_FILES = 1000;

/**
 * Lists the manifests of a folder as `kubectl apply -f` does: those that end in .yaml, .yml or
 * .json, in the order of their names, without folders in it. Hidden files are editors'.
 * @throws Error if there is none, if there are too many, or if the folder is kustomize's.
 */
export function manifestsOf(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /^[^.].*\.(ya?ml|json)$/.test(name));
  const kustomization = names.find((name) => /^kustomization\.ya?ml$/.test(name));
  if (kustomization !== undefined) {
    throw new Error(`${kustomization} makes its manifests: kubectl kustomize ${folder} | pod up -`);
  }
  const paths = names.toSorted().map((name) => join(folder, name));
  const files = paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (files.length === 0) throw new Error('a folder without .yaml, .yml or .json files');
  if (files.length > MAX_FILES) throw new Error(`a folder of more than ${MAX_FILES} manifests`);
  return files;
}
