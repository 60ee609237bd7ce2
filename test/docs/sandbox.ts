import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { command } from '../engine/command.ts';
import type { Outcome } from './host.ts';

/**
 * Runs a shell block of a sidecar's README in namespaces of its own (network, IPC, processes,
 * mounts), so that its ports, queues and files of /tmp meet nobody else's. A server that it starts
 * is stopped with SIGTERM once it is ready.
 */
export async function runInSandbox(name: string, script: string): Promise<Outcome> {
  const work = join('.cache/docs', name);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  // Below the clone, so that npx finds its commands; and away from it, so that nothing is left.
  for (const part of ['packages', 'manifests']) symlinkSync(resolve(part), join(work, part));
  const flags = ['--net', '--ipc', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const inside = [process.execPath, resolve('test/docs/inside.ts'), work];
  const { code, stdout, stderr } = await command('unshare', [...flags, ...inside], {
    input: script,
    timeout: 180_000,
  });
  return { code, output: stdout + stderr };
}
