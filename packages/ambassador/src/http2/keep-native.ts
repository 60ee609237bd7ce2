import type { Http2Session } from 'node:http2';
import v8 from 'node:v8';
import vm from 'node:vm';

/** Failed sessions after which garbage is collected: the native part of each has some 130 KB. */
const MOST = 32;

let failed = 0;
let collect: (() => void) | undefined;

/** Holds values until a full collection has found their targets unused. */
const kept = new FinalizationRegistry<unknown>(() => {});

function keep(native: unknown) {
  kept.register({}, native);
  if (++failed % MOST !== 0) return;
  v8.setFlagsFromString('--expose-gc');
  collect ??= vm.runInNewContext('gc') as () => void;
  collect();
}

/**
 * Keeps the native part of a session that fails until those of its streams are gone. Collected before
 * them it ends the process, if nghttp2 closed it within the fields of a head or of trailers: Node.js 26
 * asserts that their memory has been freed (`~Http2Session`). So any peer could end the process.
 */
export function keepNativeOnError(session: Http2Session): void {
  // It is not documented. Without it there is nothing to keep.
  const symbol = Object.getOwnPropertySymbols(session).find(
    ({ description }) => description === 'kHandle',
  );
  let native = symbol && (session as unknown as Record<symbol, unknown>)[symbol];
  session.on('error', () => {
    // Its streams end before the next turn of the event loop.
    if (native) setImmediate(keep, native);
    native = undefined;
  });
  // It refers to the session: a reference back would keep both for ever.
  session.once('close', () => (native = undefined));
}
