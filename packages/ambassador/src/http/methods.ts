/** The methods that metrics name; all others are counted together. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
]);

/** Begins the preface of HTTP/2, and is never the method of a request (RFC 9113 §11.6). */
export const NO_METHOD = 'PRI';

/** The longest method, in characters: those of the IANA registry have at most 17. */
export const MAX_METHOD = 32;

/** Returns the method that text starts with, if a space follows it (RFC 9112 §3.1). */
export function leadingMethod(text: string): string | undefined {
  return /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) /.exec(text)?.[1];
}
