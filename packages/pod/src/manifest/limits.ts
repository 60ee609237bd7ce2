import { Lexer } from 'yaml';

/** The most documents of a file, and the most aliases: each costs far more time than its bytes. */
const MAX_DOCUMENTS = 5000;
const MAX_ALIASES = 1000;
/** The most tokens: some five for each line of a file that is as large as a manifest may be. */
const MAX_TOKENS = 2_000_000;
/** Objects and lists within each other; those of Kubernetes have some twenty levels. */
export const MAX_DEPTH = 200;

/** Tokens of yaml's lexer that begin a document. */
const DOCUMENT = ['---', '\u0002'];

export const TOO_DEEP = 'is nested too deeply';

/**
 * Counts what would take the reader much time or memory, in one pass over the tokens.
 * @returns the rule that the text breaks, undefined if it breaks none.
 */
export function sizeFault(source: string): string | undefined {
  let [tokens, documents, aliases, depth] = [0, 0, 0, 0];
  for (const token of new Lexer().lex(source)) {
    if (++tokens > MAX_TOKENS) return `has more than ${MAX_TOKENS} tokens`;
    if (DOCUMENT.includes(token) && ++documents > MAX_DOCUMENTS) {
      return `has more than ${MAX_DOCUMENTS} documents`;
    }
    if (token.startsWith('*') && ++aliases > MAX_ALIASES) {
      return `has more than ${MAX_ALIASES} aliases`;
    }
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > MAX_DEPTH) return TOO_DEEP;
  }
  return undefined;
}
