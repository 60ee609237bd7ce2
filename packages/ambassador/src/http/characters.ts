/** Classes of characters, as tables: RFC 9110 §5.5–5.6, RFC 3986 §3.3–3.4. */
const TOKEN_TEXT = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const TARGET_TEXT =
  "-._~!$&'()*+,;=:@/?%[]|^0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

function table(text: string): Uint8Array {
  const marks = new Uint8Array(256);
  for (const character of text) marks[character.charCodeAt(0)] = 1;
  return marks;
}

/** tchar: the characters of methods and field names. */
export const TOKEN: Uint8Array = table(TOKEN_TEXT);

/** The characters of a request target: no quotes, no fragment, none that needs escaping. */
export const TARGET: Uint8Array = table(TARGET_TEXT);

/** The characters of a field value: field-vchar, space and tab; never CR, LF, NUL or DEL. */
export const VALUE: Uint8Array = new Uint8Array(256).map((_, code) =>
  code === 9 || (code >= 0x20 && code !== 0x7f) ? 1 : 0,
);

/** Whether all characters of `text` belong to a class; false for the empty text. */
export function isMadeOf(marks: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!marks[text.charCodeAt(i)]) return false;
  return text.length > 0;
}

/** Reads a Content-Length (RFC 9110 §8.6): at most 15 digits. Returns -1 if it is malformed. */
export function parseLength(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
