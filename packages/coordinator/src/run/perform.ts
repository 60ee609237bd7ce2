import {
  ExpectedError,
  errorText,
  formatDuration,
  fullJitter,
  type Log,
  pause,
  readSmallFile,
  send,
  signalByName,
  withoutPasswords,
  writeFileAtomic,
} from '@sidekit/core';
import { check, tryOnce } from '@sidekit/targets';
import type { Step } from '../plan/step.ts';
import type { Perform, Permit } from './permit.ts';

/** The largest token or file of authorities, in bytes. */
const FILE_LIMIT = 1024 * 1024;

/** Makes the function that performs a step with its attempts, each within the step's timeout. */
export function performer(letStop: (participant: string) => void, log: Log): Perform {
  return async (step, place, permit) => {
    const { signal } = permit;
    for (let attempt = 0; ; attempt++) {
      const failure = await within(step, permit, letStop);
      if (failure === undefined || signal.aborted || attempt === step.retries) return failure;
      log.warn('a step is tried again', {
        event: 'step_retry',
        sequence: place.sequence,
        part: place.part,
        step: place.name,
        attempt: attempt + 1,
        error: failure,
      });
      await pause(fullJitter(attempt, { base: 500, cap: 30_000 }), signal);
      if (signal.aborted) return errorText(signal.reason);
    }
  };
}

/** Performs one attempt. One that cannot be cancelled, such as a slow volume, is abandoned. */
async function within(
  step: Step,
  { signal, check: permitted }: Permit,
  letStop: (participant: string) => void,
): Promise<string | undefined> {
  const ended = new AbortController();
  const end = AbortSignal.any([signal, ended.signal]);
  const limit = step.timeout + (step.pause ?? 0);
  const timer = setTimeout(() => ended.abort(), limit);
  let last: string | undefined;
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const abandon = () => {
    const cause = signal.aborted
      ? errorText(signal.reason)
      : `no success within ${formatDuration(step.timeout)}`;
    resolve(last === undefined ? cause : `${cause} (${last})`);
  };
  end.addEventListener('abort', abandon, { once: true });
  if (end.aborted) abandon();
  const say = (reason: string) => {
    last = reason;
  };
  try {
    permitted();
    return await Promise.race([act(step, end, letStop, say, permitted), late]);
  } catch (error) {
    return withoutPasswords(errorText(error));
  } finally {
    clearTimeout(timer);
    end.removeEventListener('abort', abandon);
    // An attempt that lost against its timeout must not continue.
    ended.abort();
  }
}

async function act(
  step: Step,
  end: AbortSignal,
  letStop: (participant: string) => void,
  say: (reason: string) => void,
  permitted: () => void,
): Promise<string | undefined> {
  if (step.http) return await request(step.http, step.timeout, end, permitted);
  if (step.signal) {
    const { process, signal, all } = step.signal;
    await signalByName(process, signal, { all });
  } else if (step.wait) {
    return await wait(step.wait, end, say);
  } else if (step.write) {
    const { path, content, mode } = step.write;
    await writeFileAtomic(path, content, { mode });
  } else if (step.pause !== undefined) {
    await pause(step.pause, end);
  } else if (step.letStop !== undefined) {
    letStop(step.letStop);
  }
  return undefined;
}

async function request(
  http: NonNullable<Step['http']>,
  timeout: number,
  signal: AbortSignal,
  permitted: () => void,
): Promise<string | undefined> {
  const { url, method, body, caFile, bearerTokenFile } = http;
  const token = bearerTokenFile && read(bearerTokenFile).toString().trim();
  const { status } = await send(url, {
    method,
    headers: { ...http.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body }),
    timeout,
    keep: 0,
    signal,
    before: permitted,
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
  });
  const good = http.status.some(([first, last]) => first <= status && status <= last);
  return good ? undefined : `${withoutPasswords(url)} answered ${status}`;
}

function read(path: string): Buffer {
  try {
    return readSmallFile(path, FILE_LIMIT);
  } catch (error) {
    throw new ExpectedError(`${path} cannot be read`, undefined, { cause: error });
  }
}

/** Tries a condition until it holds; only the timeout or a stop ends it otherwise. */
async function wait(
  condition: NonNullable<Step['wait']>,
  end: AbortSignal,
  say: (reason: string) => void,
): Promise<string | undefined> {
  for (;;) {
    const reason = await tryOnce(condition.target, condition, check, end);
    if (reason === undefined) return undefined;
    if (end.aborted) return reason;
    say(`${withoutPasswords(condition.target.text)}: ${reason}`);
    if (!(await pause(condition.interval, end))) return reason;
  }
}
