import { hostname } from 'node:os';

/** Renders the start page: the host, the time, and the request as the sidecars forwarded it. */
export function page(
  method: string,
  url: string,
  headers: readonly (readonly [string, string])[],
  now: Date,
): string {
  const rows = headers
    .map(([name, value]) => `<tr><th>${safe(name)}</th><td>${safe(value)}</td></tr>`)
    .join('\n');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>sidekit webapp</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 4rem auto; padding: 0 1rem; color: #1c2733; background: #f7f9fb }
  h1 { font-size: 1.6rem; margin: 0 0 .25rem } p { color: #52606d; margin: 0 0 2rem }
  table { border-collapse: collapse; width: 100%; background: #fff; border-radius: .5rem; overflow: hidden; box-shadow: 0 1px 3px #0002 }
  th, td { text-align: left; padding: .45rem .9rem; border-top: 1px solid #e4e9ee; font-size: .9rem; overflow-wrap: anywhere }
  th { width: 14rem; font-weight: 600; color: #334e68 }
</style>
<h1>Hello from ${safe(hostname())}</h1>
<p>${safe(method)} ${safe(url)} · ${now.toISOString()}</p>
<table>
${rows}
</table>
</html>
`;
}

function safe(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
