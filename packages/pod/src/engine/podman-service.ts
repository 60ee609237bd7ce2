import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { pause, UnavailableError } from '@sidekit/core/tool';
import { Unwritable } from '../store/unwritable.ts';

/** The service ends itself when nobody has been connected for so long, in seconds. */
const IDLE = 10;
/** The longest wait for the service to listen, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Starts `podman system service` on a socket if nothing listens there. The socket is in a folder
 * that only this user can enter. The supervisors of all Pods share the service; their streams of
 * events keep it alive, and it ends by itself after the last of them.
 * @throws {UnavailableError} if it does not start, {Unwritable} if its folder is full, for one.
 */
export async function ensurePodmanService(socket: string): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  const lock = `${socket}.starting`;
  while (!(await listens(socket))) {
    if (performance.now() > deadline) {
      rmSync(lock, { force: true });
      throw new UnavailableError(`podman system service does not start: ${logOf(socket)}`);
    }
    if (claim(lock)) {
      try {
        await start(socket, deadline);
      } finally {
        rmSync(lock, { force: true });
      }
    } else await pause(10);
  }
}

async function start(socket: string, deadline: number) {
  if (await listens(socket)) return;
  rmSync(socket, { force: true });
  const log = openSync(`${socket}.log`, 'w', 0o600);
  const words = ['system', 'service', `--time=${IDLE}`, `unix://${socket}`];
  const child = spawn('podman', [...globalFlags(), ...words], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', () => {
    ended = logOf(socket);
  });
  child.unref();
  while (!(await listens(socket))) {
    if (ended !== undefined) throw new UnavailableError(`podman system service ended: ${ended}`);
    if (performance.now() > deadline) return;
    await pause(5);
  }
}

/** Several commands may find no service at once: one of them starts it. */
function claim(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      rmSync(lock, { force: true });
      throw new Unwritable(dirname(lock), error);
    }
    if (!isAlive(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // An empty file is about to be written.
    return pid === 0 || process.kill(pid, 0);
  } catch {
    return false;
  }
}

function listens(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = connect(socket);
    const done = (open: boolean) => {
      probe.destroy();
      resolve(open);
    };
    probe.once('connect', () => done(true));
    probe.once('error', () => done(false));
  });
}

function logOf(socket: string): string {
  try {
    return readFileSync(`${socket}.log`, 'utf8').trim().split('\n').slice(-3).join('; ');
  } catch {
    return 'no output';
  }
}

/** crun refuses hybrid control groups (v1 with a v2 tree next to it): runc accepts them. */
function globalFlags(): string[] {
  const hybrid = existsSync('/sys/fs/cgroup/unified') && existsSync('/sys/fs/cgroup/memory');
  const runc = ['/usr/bin/runc', '/usr/sbin/runc', '/usr/local/bin/runc'].some((path) =>
    existsSync(path),
  );
  return hybrid && runc ? ['--runtime=runc'] : [];
}
