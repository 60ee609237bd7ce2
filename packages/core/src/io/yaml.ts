/** Reads YAML of strangers in bounded time and memory. It is loaded by those only who read YAML. */
import {
  type Document,
  isScalar,
  Lexer,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';

/** A fault of the text, without a quote of it. */
export interface YamlFault {
  readonly message: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/**
 * Whether a text has more tokens than `most`, without keeping them: a parsed document takes some
 * 400 bytes for each.
 */
export function hasMoreTokens(source: string, most: number): boolean {
  let count = 0;
  for (const _ of new Lexer().lex(source)) if (++count > most) return true;
  return false;
}

/** Parses a document of YAML 1.2; its faults are in the order of the text. */
export function parseYaml(source: string): {
  readonly document: Document;
  readonly faults: readonly YamlFault[];
} {
  const lineCounter = new LineCounter();
  const options = { lineCounter, prettyErrors: false, uniqueKeys: false };
  const document = parseDocument(source, options);
  const wrong = [
    ...document.errors.map(({ message, pos }) => ({ message, at: pos[0] })),
    ...repeatedKeys(document).map(({ range }) => ({ message: REPEATED, at: range?.[0] ?? 0 })),
  ];
  const faults = wrong
    .toSorted((a, b) => a.at - b.at)
    .map(({ message, at }) => {
      const { line, col } = lineCounter.linePos(at);
      return { message, line, column: col };
    });
  return { document, faults };
}

export const REPEATED = 'Map keys must be unique';

/**
 * Finds keys that are given twice in one map. The check of the library (`uniqueKeys`) compares each
 * key with each other one, which takes minutes for a large map.
 */
export function repeatedKeys(document: Document): Scalar[] {
  const repeated: Scalar[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) repeated.push(key);
        seen.add(key.value);
      }
    },
  });
  return repeated;
}
