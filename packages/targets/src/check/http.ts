import { readSmallFile, send } from '@sidekit/core';
import type { CheckOptions } from '../options.ts';
import { absence } from './absence.ts';

/** The largest file of authorities, in bytes. */
const CA_LIMIT = 1024 * 1024;
/** The part of a response that the pattern is for, in bytes. */
const BODY = 64 * 1024;

/** Tests that a URL answers with an expected status and, if asked for, a matching body. */
export async function checkHttp(
  url: string,
  options: CheckOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status: expected, body: pattern, tryTimeout, caFile } = options;
  try {
    const { status, body } = await send(url, {
      timeout: tryTimeout,
      limit: 16 * 1024 * 1024,
      keep: pattern === undefined ? 0 : BODY,
      signal,
      headers: { 'user-agent': 'sidekit' },
      ...(caFile === undefined ? {} : { ca: readSmallFile(caFile, CA_LIMIT) }),
    });
    const good =
      expected.length > 0
        ? expected.some(([first, last]) => first <= status && status <= last)
        : status >= 200 && status < 400;
    if (!good) return `status ${status}`;
    if (pattern === undefined) return undefined;
    // Loaded only if there is a pattern.
    const { matches } = await import('./matches.ts');
    if (matches(pattern, body.toString())) return undefined;
    return `the response does not match ${pattern}`;
  } catch (error) {
    return signal.aborted ? 'no answer in time' : absence(error);
  }
}
