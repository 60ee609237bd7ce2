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

/** The most of each in a text; a parsed document takes some 400 bytes for each token. */
export interface YamlLimits {
  readonly tokens: number;
  /** Any number by default. */
  readonly documents?: number;
  /** Any number by default; each costs far more time than its bytes. */
  readonly aliases?: number;
}

/** Objects and lists within each other; the parser, which calls itself, has room for more. */
export const MAX_DEPTH = 200;
export const TOO_DEEP = 'is nested too deeply';

/** Tokens of the lexer that begin a document. */
const DOCUMENT = ['---', '\u0002'];
const COUNTED = ['tokens', 'documents', 'aliases'] as const;

/**
 * Counts what would take the parser much time or memory, in one pass over the tokens, without keeping
 * them.
 * @returns the rule that the text breaks: `has more than 400,000 YAML tokens`; undefined if none.
 */
export function excessOf(source: string, limits: YamlLimits): string | undefined {
  const count = { tokens: 0, documents: 0, aliases: 0 };
  const most = { documents: Infinity, aliases: Infinity, ...limits };
  let depth = 0;
  for (const token of new Lexer().lex(source)) {
    count.tokens++;
    if (DOCUMENT.includes(token)) count.documents++;
    else if (token.startsWith('*')) count.aliases++;
    else if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > MAX_DEPTH) return TOO_DEEP;
    for (const what of COUNTED) {
      if (count[what] > most[what])
        return `has more than ${most[what].toLocaleString('en')} YAML ${what}`;
    }
  }
  return undefined;
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
