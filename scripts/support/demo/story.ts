import { cut } from '../output.ts';

/** The most lines of one Pod's story, and of one container in it. */
const MAX_LINES = 6;
const MAX_OF_CONTAINER = 2;

/** Events that every sidecar logs; a story is about the others. */
const ROUTINE = new Set([
  'starting',
  'admin_listening',
  'listening',
  'no_match',
  'ready',
  'stopping',
  'stopped',
]);

interface Told {
  /** Lines that are not JSON: the container's data. */
  readonly data: string[];
  /** Messages of its log that say what it did, each once, with their number. */
  readonly events: Map<string, number>;
}

/**
 * Tells in a few lines what the containers of a Pod did, from the logs of all of them, each line
 * with its container in front as `pod logs` or `kubectl logs --prefix` prints it.
 * @param width the longest line, in characters; longer ones are cut between words.
 */
export function story(logs: string, width: number): string[] {
  const containers = new Map<string, Told>();
  for (const line of logs.split('\n')) {
    const match = /^(?:\[pod\/[^/]+\/([^\]]+)\]|(\S+) +\|) (.*)$/.exec(line);
    if (!match) continue;
    const [, ofCluster, ofRunner, text = ''] = match;
    const name = ofCluster ?? ofRunner ?? '';
    const told = containers.get(name) ?? { data: [], events: new Map() };
    containers.set(name, told);
    tell(told, text);
  }
  const produced = [...containers.values()].flatMap(({ data }) => recordsOf(data, 'Produced: '));
  const longest = Math.max(0, ...[...containers.keys()].map((name) => name.length));
  return [...containers]
    .flatMap(([name, told]) => sentences(told, produced).map((text) => [name, text] as const))
    .slice(0, MAX_LINES)
    .map(([name, text]) => cut(`${name.padEnd(longest)}  ${arrow(text)} ${text}`, width));
}

function tell({ data, events }: Told, text: string) {
  if (!text.startsWith('{')) {
    if (text.trim() !== '') data.push(requestOf(text) ?? text.trim());
    return;
  }
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(text);
  } catch {
    return;
  }
  const { event, msg, name } = record;
  if (typeof event !== 'string' || typeof msg !== 'string') {
    // A record of the adapter's output, not of a sidecar's log.
    if (name === undefined || msg === undefined) data.push(recordText(record));
    return;
  }
  if (ROUTINE.has(event)) return;
  const { target, records, error, path, status } = record;
  const subject = [target, path, status, error].filter((one) => one !== undefined).join(' ');
  const count = typeof records === 'number' ? `, ${records} records` : '';
  const sentence = `${msg}${subject ? `: ${subject}` : ''}${count}`;
  events.set(sentence, (events.get(sentence) ?? 0) + 1);
}

/** Returns the request of a line of an access log in the combined format: its method, target and status. */
function requestOf(line: string): string | undefined {
  const found = /^\S+ \S+ \S+ \[[^\]]+\] "(\S+ \S+)[^"]*" (\d{3}) /.exec(line);
  return found ? `${found[1]} ${found[2]}` : undefined;
}

function recordText(record: Record<string, unknown>): string {
  const { method, path, status, level, message, body } = record;
  const shown = [method, path, status, level, message ?? body].filter((one) => one !== undefined);
  return shown.length > 0 ? shown.join(' ') : JSON.stringify(record);
}

function sentences({ data, events }: Told, produced: readonly string[]): string[] {
  const [first, last] = [data[0], data.at(-1)];
  const consumed = recordsOf(data, 'Consumed: ');
  const count =
    consumed.length > 0 && produced.length > 0
      ? `, ${arrived(consumed, produced)}`
      : ` (${data.length} lines)`;
  const distinct = new Set(data).size;
  const lines =
    distinct > 2 ? `${first} … ${last}${count}` : [...counted(data)].map(times).join(', ');
  const log = [...events].map(times);
  return [...(lines ? [lines] : []), ...log.slice(-MAX_OF_CONTAINER)].slice(0, MAX_OF_CONTAINER);
}

function counted(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function times([text, count]: readonly [string, number]): string {
  return count > 1 ? `${text} (${count} times)` : text;
}

function recordsOf(data: readonly string[], prefix: string): string[] {
  return data.flatMap((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : []));
}

/** Says how many of the records that were produced have been consumed, and whether in order. */
function arrived(consumed: readonly string[], produced: readonly string[]): string {
  const inOrder = consumed.every((record, i) => record === produced[i]);
  return `${consumed.length} of ${produced.length}${inOrder ? ' in order' : ''}`;
}

/** Shows the direction of records; everything else just happens. */
function arrow(text: string): string {
  if (text.startsWith('Produced')) return '→';
  return text.startsWith('Consumed') ? '←' : '·';
}
