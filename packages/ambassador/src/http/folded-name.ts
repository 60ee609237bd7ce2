const OTHER = /[^a-z0-9-]/;
const OTHERS = /[^a-z0-9-]/g;

/**
 * Returns a field name as CGI, WSGI, Rack and PHP tell names apart: in any case, and often with every
 * character that is no letter or digit as an underscore.
 */
export function foldedName(name: string): string {
  const lower = name.toLowerCase();
  return OTHER.test(lower) ? lower.replace(OTHERS, '-') : lower;
}
