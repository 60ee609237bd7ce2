import { StringDecoder } from 'node:string_decoder';
import { type LogRequest, readLog } from '../engine/container-log.ts';
import type { Engine } from '../engine/engine.ts';
import { splitLines } from './log-lines.ts';
import type { LogLine } from './model.ts';

/** So many lines that were written before are shown. */
const TAIL = 1000;

/** Follows the log of a container until it has ended, or the request is aborted. */
export function followLog(
  engine: Engine,
  run: Pick<LogRequest, 'id' | 'running' | 'signal'>,
  onLine: (line: Omit<LogLine, 'container'>) => void,
): void {
  const streams = { stdout: lineFeed(onLine), stderr: lineFeed(onLine) };
  readLog(engine, { ...run, timestamps: true, tail: TAIL }, (parts) => {
    for (const part of parts) streams[part.stdout ? 'stdout' : 'stderr'](part);
    // The container is being removed, or the engine has ended: there is no more to show.
  }).catch(() => {});
}

/** Puts parts of lines together; a line has the time of its first part. */
function lineFeed(onLine: (line: Omit<LogLine, 'container'>) => void) {
  const decoder = new StringDecoder('utf8');
  let time: string | undefined;
  const feed = splitLines((text) => {
    onLine({ time: time ?? '', text });
    time = undefined;
  });
  return (part: { readonly time: string; readonly text: Buffer; readonly last: boolean }) => {
    time ??= part.time;
    feed(`${decoder.write(part.text)}${part.last ? `${decoder.end()}\n` : ''}`);
  };
}
