import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { childEnvironment, pause } from '@sidekit/core/tool';
import type { Engine } from './engine.ts';
import { timedLine } from './log-line.ts';
import { type LogPart, MonitorLog } from './monitor-log.ts';

export interface LogRequest {
  readonly id: string;
  /** Parts have their times. */
  readonly timestamps: boolean;
  /** The number of last lines; undefined is all. */
  readonly tail?: number | undefined;
  /** Only lines from this instant on. */
  readonly since?: Date | undefined;
  /** Continues until it says that the container has ended; undefined reads what there is. */
  readonly running?: (() => boolean | Promise<boolean>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Takes parts of a log in their order; further ones are read after it is done. */
export type LogReader = (parts: readonly LogPart[]) => Promise<void> | void;

/** How often a log that is followed is checked for more, in milliseconds. */
const INTERVAL = 50;
/** How often a file that was begun is noticed while a slow reader takes parts, in milliseconds. */
const NOTICE = 10;
/** A longer line of Docker's is passed on in parts, in bytes. */
const MAX_LINE = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Reads a container's log, complete and in the order of each stream. Podman's is read from the file
 * of its monitor: `podman logs -f` (4.3) loses any number of lines of a container that has ended.
 */
export async function readLog(engine: Engine, request: LogRequest, read: LogReader): Promise<void> {
  const path = await engine.logFile(request.id);
  if (path === undefined) return readCommand(engine, request, read);
  using log = new MonitorLog(path);
  const { tail, since, running, signal } = request;
  const wanted = (part: LogPart) => since === undefined || Date.parse(part.time) >= +since;
  const drain = async (take: LogReader) => {
    const noticing = setInterval(() => log.notice(), NOTICE);
    try {
      for (let parts = log.read(); parts.length > 0 && !signal?.aborted; parts = log.read()) {
        await take(since === undefined ? parts : parts.filter(wanted));
      }
    } finally {
      clearInterval(noticing);
    }
  };
  if (tail !== undefined) {
    let last: LogPart[] = [];
    await drain((parts) => {
      last = lastLines([...last, ...parts], tail);
    });
    await read(last);
  }
  for (;;) {
    // What a container has written is in its log before its end is known.
    const over = running === undefined || !(await running());
    await drain(read);
    if (over || signal?.aborted) return;
    await pause(INTERVAL);
  }
}

/** Returns the parts of the last lines. */
function lastLines(parts: readonly LogPart[], count: number): LogPart[] {
  let left = count;
  let start = parts.length;
  // A line that has not ended yet counts, too.
  if (start > 0 && !parts[start - 1]?.last) left--;
  for (; start > 0; start--) {
    if (parts[start - 1]?.last && left-- <= 0) break;
  }
  return parts.slice(count === 0 ? parts.length : start);
}

/** Reads a log by the engine's command. */
async function readCommand(
  { name, clientEnvironment }: Engine,
  { id, timestamps, tail, since, running, signal }: LogRequest,
  read: LogReader,
): Promise<void> {
  const words = [
    'logs',
    ...(running ? ['-f'] : []),
    ...(timestamps ? ['--timestamps'] : []),
    ...(tail === undefined ? [] : [`--tail=${tail}`]),
    ...(since === undefined ? [] : [`--since=${since.toISOString()}`]),
    id,
  ];
  const child = spawn(name, words, {
    env: childEnvironment(clientEnvironment),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  // It is missing, or was ended.
  child.once('error', () => {});
  const streams = [
    [child.stdout, true],
    [child.stderr, false],
  ] as const;
  await Promise.all(
    streams.map(([stream, stdout]) =>
      readLines(
        stream,
        (line, last) => {
          if (!timestamps) return { stdout, time: '', text: line, last };
          // As many bytes as characters: whatever a program writes stays as it is.
          const { time, text } = timedLine(line.toString('latin1'));
          return { stdout, time, text: Buffer.from(text, 'latin1'), last };
        },
        read,
      ),
    ),
  );
}

async function readLines(
  stream: Readable,
  partOf: (line: Buffer, last: boolean) => LogPart,
  read: LogReader,
): Promise<void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    const parts: LogPart[] = [];
    let start = 0;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE, start)) {
      parts.push(partOf(rest.subarray(start, end), true));
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length > MAX_LINE) {
      parts.push(partOf(rest, false));
      rest = Buffer.alloc(0);
    }
    if (parts.length > 0) await read(parts);
  }
  if (rest.length > 0) await read([partOf(rest, false)]);
}
