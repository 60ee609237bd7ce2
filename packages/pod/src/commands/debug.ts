import { randomBytes } from 'node:crypto';
import { type ExitCode, ExpectedError, UsageError } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import { podLabels } from '../engine/labels.ts';
import { ensureToolbox } from '../engine/toolbox-image.ts';
import { readArguments } from './arguments.ts';
import { defaultContainer, runInteractive } from './exec.ts';
import { containersOf } from './logged-runs.ts';
import { selectPod } from './select.ts';
import type { Session } from './session.ts';

export const debugHelp = `pod debug POD [-c CONTAINER] [--image IMAGE] [-it] [-- COMMAND…]
  Runs a shell, or a command, next to a container: in its network, IPC and process namespaces,
  with the tools of an image of its own (busybox by default), as the target's user. The target's
  files are at /proc/1/root if its user may read them. The container is removed afterwards.
`;

/** Runs a command in an ephemeral container in the namespaces of a Pod's container. */
export async function debug(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['container', 'image', 'stdin', 'tty'], 1);
  const [name] = args.words;
  if (name === undefined) {
    throw new UsageError([{ name: 'POD', rule: 'is missing', remedy: 'pod debug POD' }]);
  }
  const folder = selectPod(session.store, name);
  const { record } = folder;
  const wanted = args.text('container') ?? defaultContainer(record.pod);
  const [target] = containersOf(folder, wanted);
  const engine = new Engine(record.engine);
  const info = target && (await engine.inspect(target.id));
  if (!target || !info?.running) {
    throw new ExpectedError(`container ${wanted} of Pod ${folder.name} does not run`);
  }
  const image = args.text('image') ?? (await ensureToolbox(engine));
  const id = await engine.run({
    name: `pod-debug-${record.uid.slice(0, 8)}-${randomBytes(3).toString('hex')}`,
    image,
    entrypoint: ['sleep', '86400'],
    args: [],
    environment: new Map(),
    // Without the container's label: it is none of the Pod's own, and goes with its Pod.
    labels: { ...podLabels(record).all, 'dev.sidekit.container': 'debugger' },
    user: info.user === '' ? undefined : info.user,
    groups: [],
    mounts: [],
    capabilities: { add: [], drop: ['ALL'] },
    privileged: false,
    noNewPrivileges: true,
    readOnlyRoot: false,
    unconfined: { seccomp: false, appArmor: false },
    limits: { memory: 0, cpus: 0, cpuShares: 0 },
    tty: false,
    stdin: false,
    namespaces: { sandbox: target.id, processes: { container: target.id }, hostIPC: false },
  });
  try {
    const command = args.rest.length > 0 ? args.rest : ['sh'];
    return await runInteractive(engine, id, command, args);
  } finally {
    await engine.remove([id]);
  }
}
