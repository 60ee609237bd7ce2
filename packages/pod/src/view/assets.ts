import { readFileSync } from 'node:fs';

export interface Asset {
  readonly type: string;
  readonly content: Buffer;
}

/** The page's files by name; `npm run page` in this package makes them from page/. */
const TYPES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '': ['index.html', 'text/html; charset=utf-8'],
  'page.js': ['page.js', 'text/javascript; charset=utf-8'],
  'page.css': ['page.css', 'text/css; charset=utf-8'],
};

const loaded = new Map<string, Asset>();

/** Returns a file of the page, undefined if there is none of that name. */
export function assetOf(name: string): Asset | undefined {
  const [file, type] = (Object.hasOwn(TYPES, name) ? TYPES[name] : undefined) ?? [];
  if (file === undefined || type === undefined) return undefined;
  const asset = loaded.get(name) ?? {
    type,
    content: readFileSync(new URL(`../../assets/${file}`, import.meta.url)),
  };
  loaded.set(name, asset);
  return asset;
}
