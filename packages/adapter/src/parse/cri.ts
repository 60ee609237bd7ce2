import type { Envelope } from './envelope.ts';
import type { Parser } from './parser.ts';
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

/** Joins the parts of a message by their tags. */
export const criEnvelope: Envelope = {
  open: (line) => {
    const match = LINE.exec(line);
    if (!match) return undefined;
    const more = match[3]!.split(':').includes('P');
    return { stream: match[2]!, message: line.slice(match[0].length), more };
  },
  seal: (line, message) => `${LINE.exec(line)?.[0] ?? ''}${message}`,
};
