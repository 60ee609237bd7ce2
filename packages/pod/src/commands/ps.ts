import { ExitCode, pause } from '@sidekit/core/tool';
import type { PodStatusObject } from '../lifecycle/status.ts';
import type { PodFolder } from '../store/folder.ts';
import { readArguments } from './arguments.ts';
import { selectPods } from './select.ts';
import type { Session } from './session.ts';
import { allStatuses, hasEnded, isLost, podSummary } from './summary.ts';
import { age, columns } from './terminal.ts';

export const psHelp = `pod ps [POD…] [-o json] [-w]
  Lists Pods; with -o json as kubectl get pods -o json does. -w prints each change.
`;

const HEADER = ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP'];

/** How often a watched store is checked, in milliseconds. */
const INTERVAL = 50;

export async function ps(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['output', 'watch']);
  const { store, print } = session;
  const known = new Map<string, PodFolder>();
  const folders = () => {
    const names =
      args.words.length > 0
        ? args.words.flatMap((word) => selectPods(store, word).map(({ name }) => name))
        : store.pods.map(({ name }) => name);
    return names.map((name) => known.get(name) ?? remember(name));
  };
  const remember = (name: string) => {
    const folder = store.pod(name);
    known.set(name, folder);
    return folder;
  };
  const json = args.text('output') === 'json';
  if (args.has('watch')) return watch(folders, json, print);
  const found = folders();
  if (json) {
    const items = found.flatMap((folder) => folder.status ?? []);
    print(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2));
  } else if (found.length === 0) print('no Pods; start one with pod up FILE');
  else print(columns([HEADER, ...found.map(row)]));
  return ExitCode.ok;
}

/** Prints every Pod, and again each that changes, until the process is ended. */
async function watch(
  folders: () => readonly PodFolder[],
  json: boolean,
  print: (line: string) => void,
): Promise<ExitCode> {
  const shown = new Map<string, PodStatusObject>();
  for (;;) {
    const changed = folders().filter(({ name, status }) => status && shown.get(name) !== status);
    for (const { name, status } of changed) {
      if (!status) continue;
      shown.set(name, status);
      if (json) print(JSON.stringify(status, null, 2));
    }
    if (!json && changed.length > 0) print(columns([HEADER, ...changed.map(row)]));
    await pause(INTERVAL);
  }
}

function row(folder: PodFolder): string[] {
  const pod = folder.status;
  if (!pod) return [folder.name, '', 'Starting', '', '', ''];
  // Sidecars count as kubectl counts them: with the main containers.
  const sidecars = (pod.spec.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === 'Always')
    .map(({ name }) => name);
  const counted = allStatuses(pod).filter(
    (one) => sidecars.includes(one.name) || pod.status.containerStatuses.includes(one),
  );
  const restarts = allStatuses(pod).reduce((sum, { restartCount }) => sum + restartCount, 0);
  return [
    folder.name,
    `${counted.filter(({ ready }) => ready).length}/${counted.length}`,
    isLost(folder) ? 'Unsupervised' : podSummary(pod),
    String(restarts),
    pod.status.startTime ? age(Date.now() - Date.parse(pod.status.startTime)) : '',
    hasEnded(pod) ? '' : (pod.status.podIP ?? ''),
  ];
}
