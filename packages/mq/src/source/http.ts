import { createServer, type ServerResponse } from 'node:http';
import { type Address, type Log, listen } from '@sidekit/core';
import { aborted, Bell, firstOf } from '../first-of.ts';
import { type Body, BodyReader, Refusal } from './body-reader.ts';
import { longestLine } from './carriage-returns.ts';
import { LineBlocks } from './line-blocks.ts';
import type { Block, Source } from './source.ts';

/** The most requests that wait for the queue or the journal; others get 503. */
const WAITING_LIMIT = 64;
const CONNECTION_LIMIT = 512;
/** The memory for all bodies, in bytes; one body of `--max-body` always fits. */
const BODY_BUDGET = 16 * 1024 * 1024;

export interface HttpSourceOptions {
  readonly listen: Address;
  /** In bytes. */
  readonly maxBody: number;
  /** The longest record that a message takes now, in bytes. */
  readonly maxRecord: () => number;
  readonly log: Log;
}

interface Waiting {
  readonly body: Body;
  readonly response: ServerResponse;
}

/** Takes the lines of the bodies of POST requests, each answered once its records are safe. */
export async function httpSource(options: HttpSourceOptions): Promise<Source> {
  const waiting: Waiting[] = [];
  const arrived = new Bell();
  const bodies = new BodyReader(options.maxBody, Math.max(BODY_BUDGET, options.maxBody));
  const blocks = await LineBlocks.create({
    name: 'a POST',
    longest: Math.max(options.maxRecord(), 1),
  });
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000 },
    async (request, response) => {
      if (request.method !== 'POST') {
        answer(response, 405, 'send records by POST, one a line', { allow: 'POST' });
        return;
      }
      try {
        if (waiting.length >= WAITING_LIMIT) {
          throw new Refusal(503, 'too many requests wait for the queue', { 'retry-after': '1' });
        }
        const body = await bodies.read(request);
        waiting.push({ body, response });
        arrived.ring();
      } catch (error) {
        const { status, message, headers } = error as Refusal;
        // The rest of the body is not read.
        answer(response, status, message, { ...headers, connection: 'close' });
      }
    },
  );
  server.maxConnections = CONNECTION_LIMIT;
  await listen(server, options.listen, '--listen');
  options.log.info('taking records by POST', {
    event: 'source_listening',
    address: server.address(),
  });

  /** The body that is being cut into blocks, and the bytes of it that were copied. */
  let current: (Waiting & { copied: number; records: number }) | undefined;

  /** Returns the next block of the current body; the last one answers the request. */
  const cut = (): Block | undefined => {
    while (current) {
      const { bytes } = current.body;
      const block = blocks.next();
      const ended = current.copied === bytes.length;
      if (block) {
        current.records += block.count;
        if (!ended || !blocks.empty) return block;
        const { body, response, records } = current;
        current = undefined;
        body.release();
        return { ...block, accepted: () => answer(response, 202, `${records} accepted`) };
      }
      const copied = bytes.copy(blocks.room(), 0, current.copied);
      current.copied += copied;
      blocks.filled(copied);
      if (current.copied === bytes.length) blocks.finish();
    }
    return undefined;
  };

  const read = async (stopping: AbortSignal): Promise<Block | undefined> => {
    for (;;) {
      const block = cut();
      if (block) return block;
      while (waiting.length === 0 && !stopping.aborted) {
        await firstOf(arrived.rung, aborted(stopping));
      }
      const next = stopping.aborted ? undefined : waiting.shift();
      if (!next) return undefined;
      const longest = longestLine(next.body.bytes);
      const limit = options.maxRecord();
      if (longest > limit) {
        next.body.release();
        answer(next.response, 413, `a record has ${longest} B, a message takes ${limit} B`);
      } else {
        current = { ...next, copied: 0, records: 0 };
      }
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
