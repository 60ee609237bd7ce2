/** The place of a value in its document: `['spec', 'containers', 0, 'name']`. */
export type Path = readonly (string | number)[];

/** Writes a path as messages show it, its first part as it is: `spec.containers[0].name`. */
export function pathText(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (index === 0) return part;
      return /^[A-Za-z_][\w-]*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    })
    .join('');
}
