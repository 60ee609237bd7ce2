import { ExitCode, UsageError } from '@sidekit/core/tool';
import { readArguments } from './arguments.ts';
import { selectPod } from './select.ts';
import type { Session } from './session.ts';
import { columns } from './terminal.ts';

export const eventsHelp = `pod events POD [-o json]
  The Pod's timeline: what started, passed, failed, was restarted and stopped, in milliseconds
  since it began.
`;

export function events(argv: readonly string[], session: Session): ExitCode {
  const args = readArguments(argv, ['output'], 1);
  const [name] = args.words;
  if (name === undefined)
    throw new UsageError([{ name: 'POD', rule: 'is missing', remedy: 'pod events POD' }]);
  const { timeline } = selectPod(session.store, name);
  if (args.text('output') === 'json') {
    session.print(JSON.stringify(timeline, null, 2));
    return ExitCode.ok;
  }
  const begin = Date.parse(timeline[0]?.time ?? '');
  const rows = timeline.map(({ time, reason, container = '', message }) => [
    `+${((Date.parse(time) - begin) / 1000).toFixed(3)}s`,
    container,
    reason,
    message,
  ]);
  session.print(columns([['TIME', 'CONTAINER', 'REASON', 'MESSAGE'], ...rows]));
  return ExitCode.ok;
}
