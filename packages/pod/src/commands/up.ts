import { type ExitCode, UsageError } from '@sidekit/core/tool';
import { findEngine } from '../engine/find.ts';
import type { WaitingSupervisor } from '../supervisor/detach.ts';
import { volumeOwner } from '../supervisor/volume-owner.ts';
import { readArguments } from './arguments.ts';
import type { Session } from './session.ts';

export const upHelp = `pod up FILE… [--engine docker|podman] [--timeout 60s] [--backoff-base 10s] [--foreground]
          [--watch] [--strict] [--unsupported warn|refuse] [--allow-host]
  Starts the Pods of the files and waits until each is Ready, or has completed if its
  restartPolicy is Never or OnFailure. FILE may also be a folder, - for stdin, or a URL
  (https, or http from this machine). Applied again, changed ConfigMaps and Secrets reach the
  running Pods, and a changed Pod is replaced. Ctrl-C ends the Pods; with --foreground also after
  they are Ready. --watch stays, and applies the files again when they change; a Pod whose image
  was built again is replaced, one that is no longer in the files is removed.
  Cluster-only kinds and scheduling fields are skipped with a note, with --strict refused. What
  else is not supported is refused; --unsupported=warn skips it with a note. hostPath, privileged,
  host namespaces and added capabilities need --allow-host, which is not for URLs.
  Exit codes: 0 Ready or completed, 69 not Ready in time or no engine answers, 70 failed, 64 invalid
  manifest or usage.
`;

/** Starts Pods, and follows them until they are Ready or have completed. */
export async function up(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, [
    'allow-host',
    'backoff-base',
    'engine',
    'filename',
    'foreground',
    'strict',
    'timeout',
    'unsupported',
    'watch',
  ]);
  const inputs = [...args.words, ...args.files];
  if (inputs.length === 0) {
    throw new UsageError([{ name: 'FILE', rule: 'is missing', remedy: 'pod up my-pod.yaml' }]);
  }
  // The engine, and a supervisor, start while the rest of the program is loaded and the files are
  // read; if both fail, the files are reported.
  const engine = findEngine(session.search(args.text('engine')));
  engine.catch(() => {});
  let waiting: WaitingSupervisor | undefined;
  if (!args.has('watch')) {
    const { WaitingSupervisor } = await import('../supervisor/detach.ts');
    const start = (before: readonly string[]) => {
      try {
        waiting = new WaitingSupervisor(before, session.store, session);
      } catch {
        // A full disk, for one: the Pod's own supervisor says that.
      }
    };
    // Root's are started alike for every engine: before this process is busy with loading.
    if (process.getuid?.() === 0) start([]);
    else
      engine.then(
        (found) => start(volumeOwner(found)),
        () => {},
      );
  }
  try {
    const { applyInputs } = await import('./apply.ts');
    return await applyInputs(inputs, args, { engine, waiting: () => waiting }, session);
  } finally {
    waiting?.[Symbol.dispose]();
  }
}
