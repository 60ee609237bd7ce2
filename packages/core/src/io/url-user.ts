/** A URL without its user and password, and the header that they stand for. */
export interface UrlUser {
  readonly url: URL;
  /** For basic authentication (RFC 7617); undefined if the URL names nobody. */
  readonly authorization: string | undefined;
}

/**
 * Takes `user:password@` out of a URL, so that no message shows it. `%20` and the like stand for
 * one byte each; a percent sign that begins nothing of the kind stands for itself, as in `100%`,
 * which Node's own client refuses.
 */
export function splitUser(address: string | URL): UrlUser {
  const url = new URL(address);
  const { username, password } = url;
  if (username === '' && password === '') return { url, authorization: undefined };
  url.username = '';
  url.password = '';
  const pair = Buffer.concat([bytesOf(username), Buffer.from(':'), bytesOf(password)]);
  return { url, authorization: `Basic ${pair.toString('base64')}` };
}

/** A parsed URL has one character per byte: all others are escaped. */
function bytesOf(text: string): Buffer {
  const byte = (_: string, digits: string) => String.fromCharCode(Number.parseInt(digits, 16));
  return Buffer.from(text.replace(/%([0-9a-f]{2})/gi, byte), 'latin1');
}
