/** A URL for messages: without user, password and query, which may hold secrets. */
export function show(url: URL | string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
