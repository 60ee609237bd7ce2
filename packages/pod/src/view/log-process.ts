import { spawn } from 'node:child_process';
import { childEnvironment } from '@sidekit/core/tool';
import { timedLine } from '../engine/log-line.ts';
import type { LogLine } from './model.ts';

/** Longer lines are cut, in characters: the page shows logs, it does not store them. */
const MAX_LINE = 16_384;

export interface LogCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Follows a command that prints log lines with timestamps; returns the function that ends it. */
export function followLog(
  { command, args, environment }: LogCommand,
  onLine: (line: Omit<LogLine, 'container'>) => void,
): () => void {
  const child = spawn(command, args, {
    env: childEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.once('error', () => {});
  for (const stream of [child.stdout, child.stderr]) {
    const feed = splitLines((line) => onLine(timedLine(line)));
    stream.setEncoding('utf8').on('data', feed);
  }
  return () => child.kill();
}

/** Splits text into lines of at most `MAX_LINE` characters; the rest of a longer one is dropped. */
export function splitLines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  let cut = false;
  return (chunk) => {
    const parts = chunk.split('\n');
    for (const [i, part] of parts.entries()) {
      if (!cut) {
        rest += part.slice(0, MAX_LINE + 1 - rest.length);
        cut = rest.length > MAX_LINE;
      }
      if (i === parts.length - 1) return;
      onLine(cut ? `${rest.slice(0, MAX_LINE)} … (cut)` : rest);
      rest = '';
      cut = false;
    }
  };
}
