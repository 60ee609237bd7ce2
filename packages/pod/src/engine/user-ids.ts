import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';

/**
 * Checks what rootless Podman needs to map more than this user's own IDs: containers of Pods run
 * as other users, and volumes belong to an fsGroup.
 * @throws {ExpectedError} with the remedy.
 */
export function checkUserNamespace(): void {
  for (const program of ['newuidmap', 'newgidmap']) {
    if (isInstalled(program)) continue;
    throw new ExpectedError(
      `rootless Podman needs ${program}, which is not installed: install uidmap (Debian, Ubuntu) or shadow-utils (Fedora), or run pod as root`,
    );
  }
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    if (hasRange(file)) continue;
    const username = ownName();
    throw new ExpectedError(
      `rootless Podman needs a range of IDs for ${username} in ${file}: run "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}" as root, then "podman system migrate"`,
    );
  }
}

function isInstalled(program: string): boolean {
  const folders = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin'];
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** The user's name; the UID of one that the system does not know, as in some containers. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

/** Another source of ranges (nsswitch.conf: subid) leaves the files without any. */
function hasRange(file: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
    if (/^\s*subid:(?!.*\bfiles\b)/m.test(readFileSync('/etc/nsswitch.conf', 'utf8'))) return true;
  } catch {
    return false;
  }
  const [username, uid] = [ownName(), process.getuid?.()];
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .some(([owner, , count]) => (owner === username || owner === String(uid)) && Number(count) > 1);
}
