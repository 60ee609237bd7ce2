import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { PodFolder } from '../store/folder.ts';
import { volumeOwner } from './user-namespace.ts';

/** How this program is started again. */
export interface Program {
  /** The path of main.ts. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Starts a Pod's supervisor. It outlives this process; its own output goes to the Pod's folder. */
export function superviseDetached(folder: PodFolder, { program, environment }: Program): void {
  const log = openSync(folder.file('supervisor.log'), 'a', 0o600);
  const words = [process.execPath, program, 'supervise', folder.path];
  const [command = '', ...args] = [...volumeOwner(folder.record.engine), ...words];
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: environment,
    cwd: '/',
  });
  // From now on, and not only once the process has come to it: another command must see it.
  if (child.pid !== undefined) folder.pid = child.pid;
  // Its folder shows that nothing was started.
  child.once('error', () => {});
  child.unref();
  closeSync(log);
}
