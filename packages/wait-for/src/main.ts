#!/usr/bin/env node
import { ExitCode, helpText, reportFailure, resolveOptions, version } from '@sidekit/core';
import { table } from './options.ts';
import { run } from './program.ts';
import { findCommand } from './replace.ts';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
main(process.argv.slice(2)).then((code) => process.exit(code));

async function main(argv: readonly string[]): Promise<ExitCode> {
  try {
    const invocation = await resolveOptions(table, { argv, environment: process.env });
    if (invocation.kind === 'help') return print(process.stdout, helpText(table));
    if (invocation.kind === 'version') return print(process.stdout, `${version}\n`);
    const { command } = invocation;
    // Found before the wait: a command that is not there is bad usage.
    const [name, ...args] = command ?? [];
    const program = name === undefined ? undefined : findCommand(name, process.env.PATH ?? '');
    const code = await run(invocation, stop.signal, (line) => {
      process.stderr.write(`wait-for: ${line}\n`);
    });
    if (code === ExitCode.ok && program !== undefined)
      process.execve?.(program, [name ?? '', ...args], process.env);
    return code;
  } catch (error) {
    return reportFailure(error, 'wait-for');
  }
}

function print(stream: NodeJS.WriteStream, text: string): Promise<ExitCode> {
  return new Promise((resolve) => stream.write(text, () => resolve(ExitCode.ok)));
}
