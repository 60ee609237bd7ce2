/**
 * Reads the labels or annotations of a downward API file, lines of `key="value"` with Go's
 * escapes, as a map: `{% assign labels = pod.labels | key_values %}{{ labels.app }}`.
 */
export function keyValues(text: unknown): Record<string, string> {
  const map: Record<string, string> = Object.create(null);
  for (const line of String(text).split('\n')) {
    const match = /^([^=]+)=(".*")$/.exec(line);
    if (match?.[1]) map[match[1]] = unquote(match[2] ?? '');
  }
  return { ...map };
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(quoted);
  } catch {
    // Go also writes \a, \v, \x.. and \U........, which JSON does not have.
    return quoted.slice(1, -1);
  }
}
