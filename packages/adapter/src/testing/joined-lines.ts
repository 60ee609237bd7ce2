/**
 * Returns the lines of raw records, with the parts of a line joined by file and offset. A record
 * that arrived twice counts twice; a part that arrived twice is used once.
 */
export function joinedLines(records: readonly Record<string, unknown>[]): string[] {
  const lines: string[] = [];
  const parts = new Map<string, Map<number, string>>();
  for (const { message, partial, 'file.id': id, offset } of records) {
    if (partial !== true) {
      lines.push(String(message));
      continue;
    }
    const ofFile = parts.get(String(id)) ?? new Map<number, string>();
    parts.set(String(id), ofFile);
    const at = Number(offset);
    if (String(message).length >= (ofFile.get(at)?.length ?? 0)) ofFile.set(at, String(message));
  }
  for (const ofFile of parts.values()) {
    const offsets = [...ofFile.keys()].sort((a, b) => a - b);
    let text = '';
    let end = -1;
    for (const at of offsets) {
      if (at !== end && text !== '') {
        lines.push(text);
        text = '';
      }
      text += ofFile.get(at);
      end = at + Buffer.byteLength(ofFile.get(at) ?? '');
      if (text.endsWith('.')) {
        lines.push(text);
        text = '';
      }
    }
    if (text !== '') lines.push(text);
  }
  return lines;
}
