import { ExitCode, UsageError } from '@sidekit/core/tool';
import { narrate } from '../view/narrative.ts';
import { outlineOf } from '../view/outline.ts';
import { timelineOf } from '../view/timeline.ts';
import { readArguments } from './arguments.ts';
import { selectPod } from './select.ts';
import type { Session } from './session.ts';
import { hasEnded } from './summary.ts';
import { oneLine } from './terminal.ts';

export const explainHelp = `pod explain POD
  The Pod's history in words, with the reason for every wait.
`;

export function explain(argv: readonly string[], session: Session): ExitCode {
  const [name] = readArguments(argv, [], 1).words;
  if (name === undefined)
    throw new UsageError([{ name: 'POD', rule: 'is missing', remedy: 'pod explain POD' }]);
  const { record, timeline, status } = selectPod(session.store, name);
  const history = timelineOf(outlineOf(record.pod.spec), timeline, record.createdAt);
  // What an ended Pod waited for last, it will wait for no longer.
  const last = timeline.at(-1);
  const now = status && hasEnded(status) && last ? Date.parse(last.time) : Date.now();
  for (const { at, text } of narrate(history, now)) {
    session.print(`${(at / 1000).toFixed(3).padStart(9)} s  ${oneLine(text)}`);
  }
  return ExitCode.ok;
}
