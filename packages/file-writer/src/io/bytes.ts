/**
 * Joins a path for system calls. Names are bytes that are not always UTF-8, so `path` has one
 * character per byte (latin1); it may be empty or `.`.
 */
export function bytesOf(root: string, path: string): Buffer {
  if (path === '' || path === '.') return Buffer.from(root);
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}
