import { monotonic, retryAfter, send } from '@sidekit/core';
import type { Sink } from './sink.ts';

/**
 * Posts lines; only a 2xx accepts them. `Idempotency-Key` is the same when this process posts a
 * block again; a restarted one may cut the blocks differently, so a receiver that must not take a
 * record twice compares the sequence in it.
 */
export function httpSink(url: string, timeout: number): Sink {
  let notBefore = 0;
  return {
    write: async (bytes, start, end, { count, key }) => {
      const early = notBefore - monotonic();
      if (early > 0) throw new Error(`${url} asked to wait ${Math.ceil(early / 1000)} s more`);
      const { status, headers } = await send(url, {
        method: 'POST',
        body: bytes.subarray(start, end),
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          'mq-records': String(count),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        timeout,
        keep: 0,
        proxy: true,
      });
      if (status >= 200 && status < 300) return;
      notBefore = monotonic() + Math.min(retryAfter(headers['retry-after']) ?? 0, 60_000);
      throw new Error(`${url} answered ${status}`);
    },
    close: () => {},
  };
}
