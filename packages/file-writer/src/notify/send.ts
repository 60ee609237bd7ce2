import { errorText, send, signalByName } from '@sidekit/core';
import { show } from '../http/show.ts';
import type { FileSpec } from '../options/file-spec.ts';
import type { Change, Send } from './notifier.ts';

type Options = Pick<
  FileSpec,
  'notify' | 'notifyAll' | 'notifyCheck' | 'notifyMethod' | 'notifyStatus' | 'notifyTimeout'
>;

/** Creates the way to notify that the options name; undefined if they name none. */
export function notification(options: Options): Send | undefined {
  const { notify, notifyAll, notifyCheck, notifyMethod } = options;
  if (notify === undefined) return undefined;
  if (notify.kind === 'http') {
    return (stopping) => request(notify.url, notifyMethod, options, stopping);
  }
  let current: Change | undefined;
  let reached = new Set<string>();
  return async (stopping, change) => {
    if (change !== current) [current, reached] = [change, new Set()];
    try {
      await signalByName(notify.name, notify.signal, { all: notifyAll, reached });
    } catch (error) {
      return errorText(error);
    }
    // Where acceptance is checked, a failed check means that the signal may have been lost.
    reached = new Set();
    return notifyCheck === undefined
      ? undefined
      : await request(notifyCheck, 'GET', options, stopping);
  };
}

async function request(
  url: string,
  method: string,
  { notifyStatus, notifyTimeout: timeout }: Options,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { status } = await send(url, { method, timeout, signal, keep: 0 });
    if (notifyStatus.some(({ from, to }) => status >= from && status <= to)) return undefined;
    return `${show(url)} answered ${status}: let the application accept it, or name the status with --notify-status`;
  } catch (error) {
    return `${show(url)}: ${errorText(error)}`;
  }
}
