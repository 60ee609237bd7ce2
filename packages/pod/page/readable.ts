/** Longer text is not drawn, in characters. */
const MAX_TEXT = 2000;

export interface ReadableLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
}

/** Turns a JSON line into a message and its fields; other lines stay as they are. */
export function readable(line: string): ReadableLine {
  if (!line.startsWith('{') || line.length > 16_384) return plain(line);
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line);
  } catch {
    return plain(line);
  }
  const { time, ts, timestamp, level, severity, msg, message, name, ...fields } = record;
  const subject = msg ?? message;
  if (subject === undefined)
    return { level: levelOf(level ?? severity), text: line.slice(0, MAX_TEXT) };
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return {
    level: levelOf(level ?? severity),
    text: visible([String(subject), ...rest].join('  ')),
  };
}

function plain(line: string): ReadableLine {
  return { level: 'info', text: visible(line) };
}

function levelOf(level: unknown): ReadableLine['level'] {
  const text = String(level ?? '').toLowerCase();
  if (/err|fatal|crit|panic/.test(text)) return 'error';
  return text.startsWith('warn') ? 'warn' : 'info';
}

/** Replaces control characters and colours by what can be seen. */
function visible(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
