import type { Report } from '@sidekit/core';
import { type ListenerAddress, listenerText } from '../input/receive/listener-address.ts';

/** The inputs, and options that are about records. */
interface Inputs {
  readonly include: readonly unknown[];
  readonly syslog: readonly ListenerAddress[];
  readonly jsonLines: readonly ListenerAddress[];
  readonly output: readonly unknown[];
  readonly outputs: readonly unknown[];
  readonly metrics: readonly unknown[];
  readonly replay: boolean;
  readonly state: unknown;
  readonly statsd: unknown;
  readonly jsonEndpoints: readonly unknown[];
}

/** Checks that there is an input, and that options about records have one of records. */
export function checkInputs(options: Inputs, report: Report): void {
  const {
    include,
    syslog,
    jsonLines,
    output,
    outputs,
    metrics,
    replay,
    statsd,
    state,
    jsonEndpoints,
  } = options;
  const listeners = [...syslog, ...jsonLines];
  checkListeners(listeners, report);
  if (include.length > 0) return;
  if (listeners.length > 0) {
    if (state !== undefined) return;
    report({
      name: 'state',
      rule: 'is required to receive messages without --include: they wait there for delivery',
      remedy: 'give a directory on a volume, such as --state /state',
    });
    return;
  }
  if (statsd === undefined && jsonEndpoints.length === 0) {
    report({
      name: 'include',
      rule: 'is required without another input',
      remedy:
        "give it as --include '/logs/*.log', or give --syslog, --json-lines, --statsd or jsonEndpoints",
    });
    return;
  }
  for (const [name, given] of Object.entries({ output, outputs, metrics })) {
    if (given.length === 0) continue;
    report({ name, rule: 'is about records', remedy: 'give --include or --syslog too' });
  }
  if (replay) report({ name: 'replay', rule: 'needs --include', remedy: 'give it too' });
}

/** Checks that no address is listened on twice; port 0 is a different one each time. */
function checkListeners(listeners: readonly ListenerAddress[], report: Report): void {
  const texts = listeners
    .filter((one) => one.transport === 'unix' || one.port !== 0)
    .map(listenerText);
  for (const text of new Set(texts.filter((one, i) => texts.indexOf(one) !== i))) {
    report({
      name: 'syslog, jsonLines',
      value: text,
      rule: 'is given twice',
      remedy: 'leave one out',
    });
  }
}
