import type { LogRecord, Parser } from './parser.ts';
import { isoTime } from './time.ts';

const LINE = /^(\S{20,40}) (stdout|stderr) ([A-Z](?::[A-Z])*) ?/;

/**
 * The container runtime's format
 * (https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md):
 * time, stream, tags, message. The tag P says that the next line of the stream continues this one.
 */
export const parseCri: Parser = (line) => {
  const match = LINE.exec(line);
  const time = match ? isoTime(match[1]!) : undefined;
  if (!match || time === undefined) return "not in the container runtime's format";
  return { time, stream: match[2], message: line.slice(match[0].length) };
};

/** Reads the stream of a line, and whether the next line of the stream continues it. */
export function criTag(line: string): { stream: string; more: boolean } | undefined {
  const match = LINE.exec(line);
  return match ? { stream: match[2]!, more: match[3]!.split(':').includes('P') } : undefined;
}

export type CriRecord = LogRecord & { message: string };
