import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import { HandDriven } from './hand-driven.ts';
import { Receiver } from './receiver.ts';

type Options = Readonly<Record<string, unknown>>;

/** Creates one log in its own directory, an adapter that is polled by hand, and its receiver. */
export async function scene(given: Options | ((directory: string, url: string) => Options) = {}) {
  const directory = temporaryDirectory('scene');
  const receiver = await Receiver.start();
  const options = typeof given === 'function' ? given(directory.path, receiver.url) : given;
  const logs = join(directory.path, 'logs');
  mkdirSync(logs);
  const live = join(logs, 'app.log');
  const clock = { now: 1_795_000_000_000 };
  const errors: string[] = [];
  const log = createLog({ name: 'test', level: 'error', write: (line) => errors.push(line) });
  const start = () =>
    new HandDriven(
      directory.path,
      { include: [live], output: [receiver.url], ...options },
      clock,
      log,
    );
  const scene = {
    directory: directory.path,
    logs,
    live,
    clock,
    receiver,
    errors,
    adapter: start(),
    write: (text: string) => appendFileSync(live, text),
    messages: () => receiver.records.map(({ message }) => message),
    /** Ends the adapter as SIGTERM or SIGKILL does, calls `meanwhile`, and starts it again. */
    restart: async (manner: 'stop' | 'crash', meanwhile: () => void = () => {}) => {
      await scene.adapter[manner]();
      meanwhile();
      scene.adapter = start();
    },
    settle: () => scene.adapter.settle(),
    [Symbol.asyncDispose]: async () => {
      await scene.adapter.crash();
      await receiver[Symbol.asyncDispose]();
      directory.remove();
    },
  };
  return scene;
}
