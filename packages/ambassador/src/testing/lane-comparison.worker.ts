import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { rawRequest } from './generated-request.ts';
import { TestProxy } from './proxy.ts';
import { requestsIn, withoutIds } from './raw.ts';

/** The work of one worker. */
export interface Share {
  readonly seed: number;
  /** The number of batches of `BATCH` requests. */
  readonly batches: number;
  /** A directory for sockets of its own. */
  readonly directory: string;
}

/** The numbers of a worker's run. */
export interface Outcome {
  readonly requests: number;
  readonly forwarded: number;
}

/** Requests in a batch, each on its own connection in each lane. */
export const BATCH = 16;

/** A request after each generated one, which closes the connection. */
const LAST = '\r\n\r\nGET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** The bytes that the upstream received, by the request's name. */
const seen = new Map<string, string>();

/** Answers each complete request, and records the named ones. */
function serve(socket: net.Socket) {
  let unread = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    const requests = requestsIn(unread + text);
    const rest = requests.at(-1)?.complete === false ? requests.pop()! : undefined;
    unread = rest === undefined ? '' : rest.head + rest.body;
    let responses = '';
    for (const { head, body } of requests) {
      const id = /\r\nX-Test: (\d+-\w+)\r\n/.exec(head)?.[1];
      if (id !== undefined)
        seen.set(id, (seen.get(id) ?? '') + withoutIds(head.replace(/X-Test: [^\r]*/, '')) + body);
      responses += `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${head.startsWith('HEAD') ? '' : 'ok'}`;
    }
    socket.write(responses, 'latin1');
  });
}

/** Sends a request and the last one; returns the response and the bytes that went upstream. */
function outcome(
  path: string,
  text: string,
  id: string,
): Promise<{ readonly response: string; readonly upstream: string }> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    let received = '';
    const late = setTimeout(() => {
      reject(new Error(`no end of ${JSON.stringify(text)}, having ${JSON.stringify(received)}`));
      socket.destroy();
    }, 60_000);
    socket.setEncoding('latin1');
    socket.on('data', (piece) => (received += piece));
    // After a reset, the bytes before it are the response.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(late);
      const upstream = seen.get(id) ?? '';
      seen.delete(id);
      resolve({ response: withoutIds(received), upstream });
    });
    socket.write(text.replace('X-Test: @', `X-Test: ${id}`) + LAST, 'latin1');
  });
}

async function compare({ seed, batches, directory }: Share): Promise<Outcome> {
  // Unix sockets avoid a million ports in TIME_WAIT.
  const upstream = net.createServer(serve).listen(join(directory, 'upstream'));
  await once(upstream, 'listening');
  const [fast, full] = [join(directory, 'fast'), join(directory, 'full')];
  const common = { upstream: [`unix:${join(directory, 'upstream')}`] };
  await using _fast = await TestProxy.start({ ...common, listen: `unix:${fast}` });
  await using _full = await TestProxy.start({
    ...common,
    listen: `unix:${full}`,
    fastLane: false,
  });
  let requests = 0;
  let forwarded = 0;
  const both = async (text: string) => {
    const id = ++requests;
    const [one, two] = await Promise.all([
      outcome(fast, text, `${id}-fast`),
      outcome(full, text, `${id}-full`),
    ]);
    if (one.upstream !== '') forwarded++;
    assert.equal(two.upstream, one.upstream, `upstream of ${JSON.stringify(text)}`);
    assert.equal(two.response, one.response, `response to ${JSON.stringify(text)}`);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(rawRequest, { minLength: BATCH, maxLength: BATCH }),
      async (texts) => void (await Promise.all(texts.map(both))),
    ),
    { seed, numRuns: batches },
  );
  upstream.close();
  return { requests, forwarded };
}

if (parentPort !== null) parentPort.postMessage(await compare(workerData));
