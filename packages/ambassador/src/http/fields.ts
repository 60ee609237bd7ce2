import { TOKEN, VALUE } from './characters.ts';
import { type FieldKind, fieldKind } from './field-kind.ts';

/** A list of fields: `kinds[i]` is the kind of the field `names[i]: values[i]`. */
export interface Fields {
  readonly names: string[];
  readonly values: string[];
  readonly kinds: FieldKind[];
}

/** The most fields a message may have by default. */
export const MAX_FIELDS = 128;

/**
 * Parses field lines by the strict grammar of RFC 9112 §5: no space before the colon, no folded
 * lines, CRLF after each line, an empty line at the end.
 * @param text latin1 text in which `end` is the offset of the empty line's CRLF.
 * @returns undefined if anything violates the grammar.
 */
export function parseFields(
  text: string,
  start: number,
  end: number,
  maxFields: number = MAX_FIELDS,
): Fields | undefined {
  const names: string[] = [];
  const values: string[] = [];
  const kinds: FieldKind[] = [];
  let at = start;
  while (at < end) {
    const nameStart = at;
    while (TOKEN[text.charCodeAt(at)] === 1) at++;
    if (at === nameStart || text.charCodeAt(at) !== 58) return undefined;
    const name = text.slice(nameStart, at);
    at++;
    let code = text.charCodeAt(at);
    while (code === 32 || code === 9) code = text.charCodeAt(++at);
    const valueStart = at;
    while (VALUE[code] === 1) code = text.charCodeAt(++at);
    if (code !== 13 || text.charCodeAt(at + 1) !== 10 || at > end) return undefined;
    let valueEnd = at;
    while (valueEnd > valueStart) {
      code = text.charCodeAt(valueEnd - 1);
      if (code !== 32 && code !== 9) break;
      valueEnd--;
    }
    names.push(name);
    values.push(text.slice(valueStart, valueEnd));
    kinds.push(fieldKind(name));
    if (names.length > maxFields) return undefined;
    at += 2;
  }
  return at === end ? { names, values, kinds } : undefined;
}
