import { ExitCode } from '@sidekit/core';
import type { PodFolder } from '../supervisor/store.ts';
import { readArguments } from './arguments.ts';
import type { Session } from './session.ts';
import { allStatuses, hasEnded, podSummary } from './summary.ts';
import { age, columns } from './terminal.ts';

export const psHelp = `pod ps [POD…] [-o json]
  Lists Pods; with -o json as kubectl get pods -o json does.
`;

export function ps(argv: readonly string[], session: Session): ExitCode {
  const args = readArguments(argv, ['output']);
  const folders =
    args.words.length > 0
      ? args.words.map((name) => session.store.existing(name))
      : session.store.pods;
  if (args.text('output') === 'json') {
    const items = folders.flatMap((folder) => folder.status ?? []);
    session.print(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2));
  } else if (folders.length === 0) {
    session.print('no Pods; start one with pod up FILE');
  } else {
    session.print(
      columns([['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP'], ...folders.map(row)]),
    );
  }
  return ExitCode.ok;
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
  const lost = !hasEnded(pod) && !folder.supervised;
  return [
    folder.name,
    `${counted.filter(({ ready }) => ready).length}/${counted.length}`,
    lost ? 'Unsupervised' : podSummary(pod),
    String(restarts),
    pod.status.startTime ? age(Date.now() - Date.parse(pod.status.startTime)) : '',
    hasEnded(pod) ? '' : (pod.status.podIP ?? ''),
  ];
}
