#!/usr/bin/env node
import { ExitCode, mainOf, UsageError, writeStderr } from '@sidekit/core';
import { table } from './options.ts';
import { run } from './program.ts';
import { findCommand, replaceProcess } from './replace.ts';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort(signal));
}
// Node ignores these two, and an ignored signal stays ignored in the command; a handler does not.
for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, () => {});

mainOf(table, async (invocation) => {
  const [name, ...args] = invocation.command ?? [];
  // Find it before the wait: a command that does not exist is bad usage.
  const program = name === undefined ? undefined : findCommand(name, process.env.PATH ?? '');
  if (invocation.values.acquire !== undefined && program === undefined) {
    throw new UsageError([
      {
        name: '--acquire',
        rule: 'needs a command',
        remedy: 'add -- and the command that holds the semaphore',
      },
    ]);
  }
  const code = await run(invocation, stop.signal, (line) => {
    writeStderr(`wait-for: ${line}\n`);
  });
  if (code !== ExitCode.ok || name === undefined || program === undefined) return code;
  return replaceProcess(program, [name, ...args], process.env);
});
