import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.ts';
import type { StoreFolders } from './store/store.ts';

// The reader may stop before the end, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

/** A terminal that moves its cursor; a dumb one shows each line once (terminfo(5)). */
const terminal = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
const [command] = process.argv.slice(2);
const code = await runProgram(process.argv.slice(2), {
  folders: storeFolders(),
  live: terminal,
  colours: terminal && process.env.NO_COLOR === undefined,
  engine: process.env.POD_ENGINE || undefined,
  program: fileURLToPath(import.meta.url),
  environment: process.env,
  print: (text) => void process.stdout.write(text),
  onSignal: (names, callback) => {
    for (const name of names) process.on(name, callback);
  },
});
// A supervisor must not wait for a pending hook, nor `up` after a Ctrl-C.
if (command === 'supervise' || command === 'up') process.exit(code);
process.exitCode = code;

/** Chooses the folders of the store: the state in memory if the system has a place for that. */
function storeFolders(): StoreFolders {
  const { SIDEKIT_POD_DIR: own, XDG_RUNTIME_DIR: runtime, XDG_DATA_HOME: data } = process.env;
  if (own) return { root: resolve(own), data: join(resolve(own), 'volumes') };
  if (process.getuid?.() === 0 && existsSync('/run')) {
    return { root: '/run/sidekit-pod', data: '/var/lib/sidekit-pod' };
  }
  return {
    root: join(runtime || join(homedir(), '.local/state'), 'sidekit-pod'),
    data: join(data || join(homedir(), '.local/share'), 'sidekit-pod'),
  };
}
