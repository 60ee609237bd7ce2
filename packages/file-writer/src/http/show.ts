/** Formats a URL for messages: without user, password and query, which may contain secrets. */
export function show(url: URL | string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
