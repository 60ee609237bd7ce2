import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Address, formatSize, type Log, listen } from '@sidekit/core';
import { allocateSlab } from '@sidekit/posix-mq';
import { aborted, Bell, firstOf } from '../first-of.ts';
import { measureLines } from '../queue/lines.ts';
import { type Block, HEADROOM, type Source } from './source.ts';

/** The most requests that wait for the queue or the journal; others get 503. */
const WAITING_LIMIT = 64;

export interface HttpSourceOptions {
  readonly listen: Address;
  /** In bytes. */
  readonly maxBody: number;
  /** The longest record that a message takes, in bytes. */
  readonly maxRecord: () => number;
  readonly log: Log;
}

interface Waiting {
  readonly body: Buffer;
  readonly response: ServerResponse;
}

/** Takes the lines of the bodies of POST requests, each answered once its records are safe. */
export async function httpSource(options: HttpSourceOptions): Promise<Source> {
  const waiting: Waiting[] = [];
  const arrived = new Bell();
  const slab = await allocateSlab(HEADROOM + options.maxBody + 1);
  const server = createServer({ requestTimeout: 30_000 }, async (request, response) => {
    if (request.method !== 'POST') {
      answer(response, 405, 'send records by POST, one a line', { allow: 'POST' });
      return;
    }
    const body = await readBody(request, options.maxBody).catch(() => undefined);
    if (body === undefined) {
      answer(response, 413, `the body is larger than ${formatSize(options.maxBody)}`);
    } else if (body.length === 0) {
      answer(response, 400, 'the body is empty: send records, one a line');
    } else if (waiting.length >= WAITING_LIMIT) {
      answer(response, 503, 'too many requests wait for the queue', { 'retry-after': '1' });
    } else {
      waiting.push({ body, response });
      arrived.ring();
    }
  });
  await listen(server, options.listen, '--listen');
  options.log.info('taking records by POST', {
    event: 'source_listening',
    address: server.address(),
  });

  const read = async (stopping: AbortSignal): Promise<Block | undefined> => {
    for (;;) {
      while (waiting.length === 0 && !stopping.aborted) {
        await firstOf(arrived.rung, aborted(stopping));
      }
      if (stopping.aborted) return undefined;
      const { body, response } = waiting.shift()!;
      let end = HEADROOM + body.copy(slab.bytes, HEADROOM);
      if (slab.bytes[end - 1] !== 0x0a) slab.bytes[end++] = 0x0a;
      const ends = new Uint32Array(end - HEADROOM);
      const measured = measureLines(slab.bytes, HEADROOM, end, ends);
      const limit = options.maxRecord();
      if (measured.longest > limit) {
        answer(response, 413, `a record has ${measured.longest} B, a message takes ${limit} B`);
        continue;
      }
      const accepted = () => answer(response, 202, `${measured.count} accepted`);
      return { slab, start: HEADROOM, end, ends, position: 0, ...measured, accepted };
    }
  };
  return {
    finite: false,
    read,
    close: () => {
      for (const { response } of waiting) answer(response, 503, 'stopping');
      return new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
        // A response on its way is small: the next turns of the loop send it.
        setTimeout(() => server.closeAllConnections(), 100).unref();
      });
    },
  };
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
) {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(`${text}\n`);
}

/** Reads a body of at most `limit` bytes; rejects if it is larger or breaks off. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > limit) {
      request.resume();
      throw new Error('too large');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
