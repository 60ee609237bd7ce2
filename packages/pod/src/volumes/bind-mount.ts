import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';

/**
 * Mounts an open file or folder on `target`, which is created: engines take paths only, and the
 * path that a descriptor was opened by may lead elsewhere by now. Needs root, or root of a user
 * namespace that owns the mount namespace.
 * @throws {ExpectedError} if it cannot be mounted.
 */
export function bindMount(descriptor: number, target: string): void {
  const wanted = fstatSync(descriptor);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  if (wanted.isDirectory()) mkdirSync(target, { recursive: true, mode: 0o700 });
  else closeSync(openSync(target, 'a', 0o600));
  const source = `/proc/${process.pid}/fd/${descriptor}`;
  // mount(8) would resolve the link in /proc and mount by path.
  run('mount', ['--no-canonicalize', '--bind', source, target]);
  const { dev, ino } = statSync(target);
  if (dev === wanted.dev && ino === wanted.ino) return;
  unmount(target);
  throw new ExpectedError(`${target} shows another file than was opened`);
}

/** Unmounts every mount below a folder, the innermost first. */
export function unmountBelow(root: string): void {
  for (const point of mountsBelow(root).toReversed()) unmount(point);
}

/** Lists the mount points at and below a folder, in the order of mounting. */
export function mountsBelow(root: string): string[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return [];
  }
  // Field 5; space, tab, newline and backslash are octal escapes (proc_pid_mountinfo(5)).
  const points = table.split('\n').map((line) => decodeEscapes(line.split(' ')[4] ?? ''));
  return points.filter((point) => point === root || point.startsWith(`${root}/`));
}

function decodeEscapes(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

export function unmount(point: string): void {
  run('umount', ['-l', point]);
}

function run(program: string, args: readonly string[]) {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    // The second line of mount(8) is advice to read the kernel's log.
    const [reason] = stderr?.toString().trim().split('\n') ?? [];
    throw new ExpectedError(`${program} failed: ${reason || String(error)}`);
  }
}
