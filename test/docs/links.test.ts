import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const DOCUMENTS = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'manifests/**/*.md']);

test('every relative link leads to a file, and to a heading where it names one', () => {
  const broken = DOCUMENTS.flatMap((path) =>
    links(readFileSync(path, 'utf8')).flatMap((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(target)) return `${path}: ${link}`;
      if (anchor === undefined || statSync(target).isDirectory()) return [];
      return anchors(readFileSync(target, 'utf8')).includes(anchor) ? [] : `${path}: ${link}`;
    }),
  );
  assert.deepEqual(broken, []);
});

test('the list of patterns names every page, and every page has the same parts', () => {
  const pages = globSync('docs/patterns/*.md').filter((path) => !path.endsWith('README.md'));
  const listed = links(readFileSync('docs/patterns/README.md', 'utf8')).filter(
    (link) => !link.startsWith('../'),
  );
  assert.deepEqual(listed.toSorted(), pages.map((path) => path.split('/').at(-1)).toSorted());
  const parts = [
    'Problem',
    'Picture',
    'Manifest',
    'How it fits',
    'How it fails',
    'Common misconceptions',
  ];
  for (const page of pages) {
    const text = readFileSync(page, 'utf8');
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings, [...parts, 'When not to use it'], page);
    assert.match(text, /^```mermaid$/m, page);
  }
});

/** The relative links of a text, outside of its code. */
function links(text: string): string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The anchors of a text's headings, as GitHub makes them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
