import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Serves the live page of all Pods while a demo runs; it prints its URL, and opens it on a desktop. */
export function servePage(): AsyncDisposable {
  const child = spawn('node_modules/.bin/pod', ['view'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // A terminal's Ctrl-C must not end it before the Pods.
    detached: true,
  });
  const closed = once(child, 'close');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await closed;
    },
  };
}
