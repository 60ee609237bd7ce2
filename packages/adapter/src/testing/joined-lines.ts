/**
 * Returns the messages of records, with the parts of a line joined by file and offset. A record
 * that arrived twice counts twice; a part that arrived twice is used once.
 */
export function joinedLines(records: readonly Record<string, unknown>[]): string[] {
  const lines: string[] = [];
  const parts = new Map<string, Map<number, string>>();
  for (const { message, raw, partial, 'file.id': id, offset } of records) {
    const text = String(message ?? raw);
    if (partial !== true) {
      lines.push(text);
      continue;
    }
    const ofFile = parts.get(String(id)) ?? new Map<number, string>();
    parts.set(String(id), ofFile);
    const at = Number(offset);
    if (text.length >= (ofFile.get(at)?.length ?? 0)) ofFile.set(at, text);
  }
  for (const ofFile of parts.values()) {
    const offsets = [...ofFile.keys()].sort((a, b) => a - b);
    let text = '';
    let end = -1;
    const emit = () => {
      if (text !== '') lines.push(messageOf(text));
      text = '';
    };
    for (const at of offsets) {
      if (at !== end) emit();
      text += ofFile.get(at);
      end = at + Buffer.byteLength(ofFile.get(at) ?? '');
      if (text.endsWith(text.startsWith('{') ? '}' : '.')) emit();
    }
    emit();
  }
  return lines;
}

/** Returns the message of a line, which may be JSON. */
function messageOf(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    return String((JSON.parse(line) as { message?: unknown }).message);
  } catch {
    // A part of a line whose rest was not read.
    return line;
  }
}
