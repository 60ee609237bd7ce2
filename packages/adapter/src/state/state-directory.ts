import { dirname, join, resolve } from 'node:path';

/** Returns the directory of the state: by default it is next to the first files. */
export function stateDirectoryOf({
  state,
  include,
}: {
  readonly state: string | undefined;
  readonly include: readonly string[];
}): string {
  return state ?? join(baseOf(include[0] ?? '.'), '.adapter');
}

/** Returns the directory that contains everything a glob can match. */
function baseOf(glob: string): string {
  const full = resolve(glob);
  const wild = full.search(/[*?[{]/);
  return dirname(wild === -1 ? full : `${full.slice(0, wild)}x`);
}
