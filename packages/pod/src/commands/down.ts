import { ExitCode, ExpectedError, pause, UsageError } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import { findEngine } from '../engine/find.ts';
import { CONTAINER_LABEL, POD_LABEL, podLabels, storeLabel } from '../engine/labels.ts';
import { readInputs } from '../input/inputs.ts';
import type { PodFolder } from '../store/folder.ts';
import type { PodStore } from '../store/store.ts';
import { sendControl } from '../supervisor/control.ts';
import { Endpoints } from '../supervisor/endpoints.ts';
import { removeFolder, removeVolumesOf } from '../supervisor/user-namespace.ts';
import { type KeptClaim, keptClaims } from '../volumes/claims.ts';
import { readArguments } from './arguments.ts';
import { findPods, podsOf } from './select.ts';
import type { Session } from './session.ts';

export const downHelp = `pod down POD… | -f FILE | --all [--grace-period 30s] [--volumes]
  Ends Pods as the kubelet does and removes everything that belongs to them, including leftovers of a
  killed supervisor. POD may be a workload, such as deployment/web. --volumes also removes the
  claims of the Pods; without it they are kept.
`;

/** Ends Pods by name, by manifest, or all. */
export async function down(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['all', 'filename', 'grace-period', 'engine', 'volumes']);
  const { store } = session;
  const found = args.files.length > 0 ? await namesOf(args.files) : undefined;
  const { controllers } = found ?? { controllers: [] };
  const names = [...args.words, ...(found?.names ?? [])];
  if (args.has('all') && args.words.length + args.files.length > 0) {
    throw new UsageError([
      {
        name: '--all',
        rule: 'takes no Pods',
        remedy: 'name them without --all, or leave them out',
      },
    ]);
  }
  if (names.length + controllers.length === 0 && !args.has('all')) {
    throw new UsageError([
      {
        name: 'POD',
        rule: 'is missing',
        remedy: 'pod down POD, pod down -f FILE, or pod down --all',
      },
    ]);
  }
  // Also the Pods that an earlier version of the file asked for.
  const surplus = podsOf(store, controllers).map(({ name }) => name);
  const known = args.has('all')
    ? store.pods.map(({ name }) => name)
    : [...new Set([...names.flatMap((name) => namedPods(store, name)), ...surplus])];
  const folders = known.map((name) => store.pod(name)).filter(({ exists }) => exists);
  const unknown = known.filter((name) => !store.pod(name).exists);
  const claims = args.has('volumes') ? claimsToRemove(store, folders, args.has('all')) : [];
  const grace = args.milliseconds('grace-period');
  const engine = folders[0]?.record.engine;
  await removePods(folders, session, grace === undefined ? undefined : grace / 1000);
  const orphans = await removeOrphans(
    args.has('all') ? undefined : unknown,
    session,
    args.text('engine'),
  );
  const removed = [...folders.map(({ name }) => name), ...orphans];
  for (const name of removed) session.print(`${name} removed`);
  for (const { namespace, name, path } of claims) {
    await removeFolder(path, engine, session);
    session.print(`claim ${namespace}/${name} removed`);
  }
  // What a file defines may be gone already.
  const missing = args.words.filter((name) => unknown.includes(name) && !orphans.includes(name));
  if (missing.length > 0) {
    const all = store.pods.map(({ name }) => name).join(', ');
    throw new ExpectedError(
      `no Pod ${missing.join(', ')}: ${all ? `there are ${all}` : 'there is none'}`,
      ExitCode.usage,
    );
  }
  return ExitCode.ok;
}

async function namesOf(files: readonly string[]) {
  // What the file needs of the host does not matter for its removal.
  const { pods, controllers } = await readInputs(files, { allowHost: true, unsupported: 'warn' });
  return { names: pods.map(({ metadata }) => metadata.name), controllers };
}

function namedPods(store: PodStore, word: string): string[] {
  const found = findPods(store, word);
  return found.length > 0 ? found.map(({ name }) => name) : [word];
}

/** The claims of the Pods that no other Pod uses; all of them if all Pods are removed. */
function claimsToRemove(
  { pods, data }: PodStore,
  folders: readonly PodFolder[],
  all: boolean,
): KeptClaim[] {
  const going = new Set(folders.map(({ name }) => name));
  const claimsOf = (list: readonly PodFolder[]) =>
    new Set(
      list
        .filter(({ exists }) => exists)
        .flatMap(({ record: { pod } }) => {
          const claimed = pod.spec.volumes.flatMap((one) => one.persistentVolumeClaim ?? []);
          return claimed.map(({ claimName }) => `${pod.metadata.namespace}/${claimName}`);
        }),
    );
  const wanted = claimsOf(folders);
  const used = claimsOf(pods.filter(({ name }) => !going.has(name)));
  return keptClaims(data).filter(({ namespace, name }) => {
    const id = `${namespace}/${name}`;
    return !used.has(id) && (all || wanted.has(id));
  });
}

/** Containers of Pods whose folder is gone, as after a restart of the machine. */
async function removeOrphans(
  names: readonly string[] | undefined,
  session: Session,
  wanted: string | undefined,
): Promise<string[]> {
  if (names?.length === 0) return [];
  const found = await findEngine(session.search(wanted)).catch((error: unknown) => {
    // Without an engine there are no containers of it either.
    if (error instanceof UsageError) throw error;
    return undefined;
  });
  if (!found) return [];
  const engine = new Engine(found);
  const all = await engine.labelled(storeLabel(session.store.root));
  const left = [...new Set(all.map(({ labels }) => labels[POD_LABEL] ?? ''))].filter(
    (name) => !names || names.includes(name),
  );
  for (const name of left) await removeAll(engine, `${POD_LABEL}=${name}`);
  return left;
}

/** Terminates Pods side by side, waits, and removes containers, mounts and folders. */
export async function removePods(
  folders: readonly PodFolder[],
  session: Session,
  gracePeriodSeconds: number | undefined,
): Promise<void> {
  await Promise.all(folders.map((folder) => removePod(folder, session, gracePeriodSeconds)));
}

/**
 * Waits until a supervisor that is being started has written its first status. The command that
 * starts it may have been killed before that: without a supervisor it waits 2 s.
 */
export async function begun(folder: PodFolder): Promise<void> {
  const start = performance.now();
  const patience = () => start + (folder.supervised ? 10_000 : 2000);
  while (folder.claimed && !folder.status && performance.now() < patience()) await pause(10);
}

async function removePod(
  folder: PodFolder,
  session: Session,
  gracePeriodSeconds: number | undefined,
) {
  // An `up` that was killed before it recorded its Pod.
  if (!folder.exists) return folder.remove();
  const { record, socket } = folder;
  const { engine, services, uid } = record;
  const request = {
    type: 'terminate' as const,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  };
  await begun(folder);
  const supervised = () => folder.holds(uid) && folder.supervised;
  while (supervised() && !(await sendControl(socket, request))) await pause(10);
  while (supervised()) await pause(10);
  while (!folder.claimRemoval(uid)) {
    if (!folder.holds(uid)) return;
    await pause(10);
  }
  // Whatever is left, also of a supervisor that was killed.
  await removeAll(new Engine(engine), podLabels(record).own);
  const endpoints = new Endpoints(session.store.endpoints);
  for (const service of services) endpoints.set(service, folder.name, undefined);
  const { successor } = folder;
  await removeVolumesOf(record, session);
  folder.remove();
  // Its Job may have continued while its deletion was requested.
  if (successor !== undefined) {
    await removePod(session.store.pod(successor), session, gracePeriodSeconds);
  }
}

/** The containers that share the sandbox's namespaces go before it: engines refuse otherwise. */
async function removeAll(engine: Engine, label: string) {
  const all = await engine.labelled(label);
  const sandbox = ({ labels }: (typeof all)[number]) => labels[CONTAINER_LABEL] === undefined;
  await engine.remove(all.filter((one) => !sandbox(one)).map(({ id }) => id));
  await engine.remove(all.filter(sandbox).map(({ id }) => id));
}
