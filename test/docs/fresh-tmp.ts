import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/**
 * Puts an empty /tmp over the machine's, in a mount namespace of one's own. A clone that lies below
 * /tmp is still there afterwards: it is kept at /mnt in between.
 */
export function freshTmp(): void {
  const mount = (...args: string[]) => execFileSync('mount', args);
  const clone = process.cwd();
  const hidden = clone.startsWith('/tmp/');
  if (hidden) mount('--bind', clone, '/mnt');
  mount('-t', 'tmpfs', 'tmpfs', '/tmp');
  if (!hidden) return;
  mkdirSync(clone, { recursive: true });
  mount('--move', '/mnt', clone);
  // The working directory is still that of the mount before.
  process.chdir(clone);
}
