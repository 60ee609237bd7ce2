/** `npm run compose`: writes docker-compose.yml from manifests/pods; `-- --check` only compares. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { composeFiles, FILES_ROOT } from './support/compose/file.ts';
import { version } from './support/images/build.ts';

export function main(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { check: { type: 'boolean' } } });
  const files = composeFiles(version);
  if (values.check) {
    const stale = staleFiles(files);
    if (stale.length > 0) console.error(`${stale.join(', ')}: run npm run compose`);
    return stale.length > 0 ? 1 : 0;
  }
  rmSync(FILES_ROOT, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return 0;
}

/** The paths whose text is not what the manifests say. */
export function staleFiles(files: Readonly<Record<string, string>>): string[] {
  return Object.entries(files).flatMap(([path, text]) =>
    existsSync(path) && readFileSync(path, 'utf8') === text ? [] : [path],
  );
}
