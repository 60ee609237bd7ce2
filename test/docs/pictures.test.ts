import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';

interface Mermaid {
  /** @throws Error with the line and what was expected there. */
  parse(text: string): Promise<unknown>;
}

/** Mermaid's bundle for pages, in a context with what it touches of a page while it parses. */
function loadMermaid(): Mermaid {
  const document = { nodeType: 9, implementation: {}, createElement: () => ({}) };
  const page = { document, Element: class {}, addEventListener() {}, structuredClone, console };
  const context = createContext({ ...page, window: page });
  const bundle = 'node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js';
  runInContext(readFileSync(bundle, 'utf8'), context, { filename: bundle });
  return (context as unknown as { mermaid: Mermaid }).mermaid;
}

const mermaid = loadMermaid();
const paths = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'manifests/**/*.md']);

for (const path of paths.toSorted()) {
  const text = readFileSync(path, 'utf8');
  for (const { index, 1: picture = '' } of text.matchAll(/^```mermaid\n(.*?)^```$/gms)) {
    const line = text.slice(0, index).split('\n').length;
    test(`Mermaid parses the picture in ${path}:${line}`, async () => {
      await mermaid.parse(picture);
    });
  }
}

test('Mermaid refuses a picture that is none', async () => {
  for (const picture of [
    'flowchart LR\n  app --> \n',
    'flowchart LR\n  app --> logs[("emptyDir"\n',
    'sequenceDiagram\n  k->>s: start; then the probe\n',
    'gantt\n  dateFormat s\n  pod section a\n',
  ])
    await assert.rejects(mermaid.parse(picture), /Parse error on line/, picture);
});
