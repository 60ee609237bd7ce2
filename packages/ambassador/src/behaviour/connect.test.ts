import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CallOptions,
  type Client,
  Code,
  ConnectError,
  createClient,
  type HandlerContext,
  type ServiceImpl,
} from '@connectrpc/connect';
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { eventually, freePort } from '@sidekit/test-kit';
import { WORDS, type Words, WordsServer } from '../testing/connect.ts';
import { TestProxy } from '../testing/proxy.ts';

/** The clients, and the protocol that the upstream sees of each. */
const CLIENTS = [
  { name: 'gRPC', sees: 'grpc', bidi: true, transport: createGrpcTransport },
  {
    ...{ name: 'gRPC-Web over HTTP/1.1', sees: 'grpc', bidi: false },
    transport: (options: Options) => createGrpcWebTransport({ ...options, httpVersion: '1.1' }),
  },
  {
    ...{ name: 'gRPC-Web over HTTP/2', sees: 'grpc', bidi: true },
    transport: (options: Options) => createGrpcWebTransport({ ...options, httpVersion: '2' }),
  },
  {
    ...{ name: 'Connect over HTTP/1.1', sees: 'connect', bidi: false },
    transport: (options: Options) => createConnectTransport({ ...options, httpVersion: '1.1' }),
  },
  {
    ...{ name: 'Connect over HTTP/2', sees: 'connect', bidi: true },
    transport: (options: Options) => createConnectTransport({ ...options, httpVersion: '2' }),
  },
];

interface Options {
  readonly baseUrl: string;
  readonly sendCompression?: typeof compressionGzip;
}

/** More than any buffer of the way. */
const LARGE = 'word '.repeat(100_000);

/** Serves the calls, and records what it sees of them. */
class Calls implements Required<ServiceImpl<Words>> {
  readonly protocols = new Set<string>();
  /** Calls that wait until they are canceled. */
  waiting = 0;

  echo: ServiceImpl<Words>['echo'] = async ({ value }, context) => {
    this.protocols.add(context.protocolName);
    context.responseHeader.set('x-head', 'of the response');
    context.responseTrailer.set('x-trailer', 'of the response');
    if (value === 'missing') throw new ConnectError('no such wörd: 100 %', Code.NotFound);
    if (value === 'never') await this.#canceled(context);
    return { value };
  };

  split: ServiceImpl<Words>['split'] = ({ value }, context) => this.#words(value, context);

  join: ServiceImpl<Words>['join'] = async (words) => {
    const all: string[] = [];
    for await (const { value } of words) all.push(value);
    return { value: all.join(' ') };
  };

  chat: ServiceImpl<Words>['chat'] = async function* (words) {
    for await (const { value } of words) yield { value: `${value}?` };
  };

  async *#words(text: string, context: HandlerContext) {
    for (const value of text.split(' ')) {
      if (value === 'missing') throw new ConnectError('no such word', Code.NotFound);
      if (value === 'never') await this.#canceled(context);
      yield { value };
    }
  }

  #canceled({ signal }: HandlerContext): Promise<void> {
    this.waiting++;
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.waiting--;
        resolve();
      });
    });
  }
}

/** Sends words one by one, each after the answer to the one before. */
async function talk(client: Client<Words>, words: readonly string[]): Promise<string[]> {
  const heard: string[] = [];
  let next = Promise.withResolvers<void>();
  async function* say() {
    for (const value of words) {
      next = Promise.withResolvers<void>();
      yield { value };
      await next.promise;
    }
  }
  for await (const { value } of client.chat(say())) {
    heard.push(value);
    next.resolve();
  }
  return heard;
}

for (const { name, sees, bidi, transport } of CLIENTS) {
  test(`${name}: a connect client calls a connect server, with streams, errors and deadlines`, async () => {
    const calls = new Calls();
    await using server = await WordsServer.start(calls);
    await using proxy = await TestProxy.start({ upstream: [server.url] });
    const options = { baseUrl: proxy.url, sendCompression: compressionGzip };
    const client = createClient(WORDS, transport(options));

    const seen: (string | null)[] = [];
    const echo = await client.echo(
      { value: 'one' },
      {
        onHeader: (fields) => seen.push(fields.get('x-head')),
        onTrailer: (fields) => seen.push(fields.get('x-trailer')),
      },
    );
    assert.deepEqual([echo.value, ...seen], ['one', 'of the response', 'of the response']);
    assert.equal((await client.echo({ value: LARGE })).value, LARGE);
    assert.equal((await client.echo({ value: '' })).value, '');
    assert.deepEqual([...calls.protocols], [sees]);

    await assert.rejects(client.echo({ value: 'missing' }), {
      code: Code.NotFound,
      rawMessage: 'no such wörd: 100 %',
    });
    const received: string[] = [];
    const split = async (value: string, options: CallOptions = {}) => {
      received.length = 0;
      for await (const word of client.split({ value }, options)) received.push(word.value);
    };
    await split('one two three');
    assert.deepEqual(received, ['one', 'two', 'three']);
    await split(LARGE.slice(0, 5 * 2000));
    assert.equal(received.length, 2001);
    await assert.rejects(split('one missing'), { code: Code.NotFound, rawMessage: 'no such word' });
    assert.deepEqual(received, ['one']);

    await assert.rejects(client.echo({ value: 'never' }, { timeoutMs: 300 }), {
      code: Code.DeadlineExceeded,
    });
    await assert.rejects(split('one never', { timeoutMs: 1000 }), { code: Code.DeadlineExceeded });
    await eventually(() => calls.waiting === 0, { what: 'both calls are canceled upstream' });

    const abort = new AbortController();
    const never = client.echo({ value: 'never' }, { signal: abort.signal });
    await eventually(() => calls.waiting === 1, { what: 'the call is at the upstream' });
    abort.abort();
    await assert.rejects(never, { code: Code.Canceled });
    await eventually(() => calls.waiting === 0, { what: 'the call is canceled upstream' });

    async function* words() {
      for (const value of ['one', 'two']) yield { value };
    }
    if (bidi) {
      assert.equal((await client.join(words())).value, 'one two');
      assert.deepEqual(await talk(client, ['one', 'two', 'three']), ['one?', 'two?', 'three?']);
    }
    await proxy.settled();
  });

  test(`${name}: a connect client gets UNAVAILABLE if there is no server`, async () => {
    const upstream = `h2c://127.0.0.1:${await freePort()}`;
    await using proxy = await TestProxy.start({ upstream: [upstream], retryConnectFor: '1ms' });
    const client = createClient(WORDS, transport({ baseUrl: proxy.url }));
    await assert.rejects(client.echo({ value: 'one' }), { code: Code.Unavailable });
  });
}
