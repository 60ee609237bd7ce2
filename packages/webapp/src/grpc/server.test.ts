import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  type ClientDuplexStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { startProgram } from '@sidekit/test-kit';
import { decodeMessage, type Message } from './message.ts';
import { ECHO, HEALTH } from './services.ts';

const main = new URL('../main.ts', import.meta.url);
const LISTEN = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

const text = { responseDeserialize: decodeMessage };
const number = { responseDeserialize: (bytes: Buffer) => ({ text: `${bytes[1]}` }) };
const SERVICE: ServiceDefinition = {
  Say: { ...ECHO.Say, ...text },
  Count: { ...ECHO.Count, ...text },
  Chat: { ...ECHO.Chat, ...text },
  Check: { ...HEALTH.Check, ...number },
  Watch: { ...HEALTH.Watch, ...number },
};
const Client = makeGenericClientConstructor(SERVICE, 'Demo');

/** Starts webapp in its gRPC mode, with a client. */
async function start() {
  const program = startProgram(main, [...LISTEN, '--grpc-listen', '127.0.0.1:0']);
  const { port } = await program.event('serving_grpc');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = (name: string, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const run = client[name] as unknown as (
        request: Message,
        done: (error: Error | null, response: Message) => void,
      ) => void;
      run.call(client, { text }, (error, response) =>
        error ? reject(error) : resolve(response.text),
      );
    });
  const stream = (name: string, ...texts: string[]) => {
    const run = client[name] as unknown as (
      ...args: Message[]
    ) => ClientDuplexStream<Message, Message>;
    return run.call(client, ...texts.map((text) => ({ text })));
  };
  return {
    program,
    call,
    stream,
    async [Symbol.asyncDispose]() {
      client.close();
      await program[Symbol.asyncDispose]();
    },
  };
}

test('the echo service answers unary calls and streams, and its health is known', async () => {
  await using demo = await start();
  assert.equal(await demo.call('Say', 'hello'), 'hello');
  assert.equal(await demo.call('Check', ''), '1');
  assert.equal(await demo.call('Check', 'demo.Echo'), '1');
  await assert.rejects(demo.call('Check', 'other'), /NOT_FOUND/);
  const unknown = demo.stream('Watch', 'other');
  unknown.on('error', () => {});
  const [state] = await once(unknown, 'data');
  assert.equal(state.text, '3', 'SERVICE_UNKNOWN');
  unknown.cancel();
  const numbers: string[] = [];
  for await (const one of demo.stream('Count', '3')) numbers.push(one.text);
  assert.deepEqual(numbers, ['1', '2', '3']);
  const chat = demo.stream('Chat');
  chat.write({ text: 'a' });
  chat.write({ text: 'b' });
  chat.end();
  const echoes: string[] = [];
  for await (const one of chat) echoes.push(one.text);
  assert.deepEqual(echoes, ['a', 'b']);
});

test('SIGTERM lets calls finish, tells watchers, and exits 0', async () => {
  await using demo = await start();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const one of demo.stream('Watch', '')) {
      seen.push(one.text);
      if (seen.length === 1) demo.program.kill('SIGTERM');
    }
  })();
  const numbers: string[] = [];
  for await (const one of demo.stream('Count', '5')) numbers.push(one.text);
  await watching;
  assert.deepEqual(seen, ['1', '2']);
  assert.equal(numbers.length, 5);
  assert.equal((await demo.program.exited).code, 0);
});
