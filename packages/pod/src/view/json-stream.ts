/** A document longer than this, in characters, is skipped. */
const MAX_DOCUMENT = 16 * 1024 * 1024;

/** Splits a stream of JSON objects, as `kubectl get --watch -o json` prints them, into their texts. */
export function splitDocuments(onDocument: (text: string) => void): (chunk: string) => void {
  let text = '';
  let depth = 0;
  let inString = false;
  let escaped = false;
  return (chunk) => {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i];
      if (inString) {
        if (escaped) escaped = false;
        else if (c === '\\') escaped = true;
        else if (c === '"') inString = false;
      } else if (c === '"') inString = true;
      else if (c === '{') depth++;
      else if (c === '}' && --depth === 0) {
        text += chunk.slice(start, i + 1);
        start = i + 1;
        if (text.length <= MAX_DOCUMENT) onDocument(text.trim());
        text = '';
      }
    }
    if (text.length <= MAX_DOCUMENT) text += chunk.slice(start);
  };
}
