import { type Document, isCollection, type Pair, visit } from 'yaml';

/** An action of Go's text/template, as Helm has them. */
const ACTION = /\{\{-?\s*[.$(\w]/;

/**
 * Whether a document is a template that was not rendered: an action breaks its YAML, or is read as a
 * key. Actions within texts are part of many ConfigMaps.
 * @returns the offset of the first such action, undefined if there is none.
 */
export function isTemplate(document: Document.Parsed, source: string): number | undefined {
  if (!ACTION.test(source)) return undefined;
  const at = document.errors[0]?.pos[0] ?? keyOf(document);
  if (at === undefined) return undefined;
  const start = source.lastIndexOf('\n', at - 1) + 1;
  const action = source.slice(start).split('\n', 1)[0]?.search(ACTION) ?? -1;
  return action === -1 ? undefined : start + action;
}

/** Returns the offset of the first key that is an object or a list. */
function keyOf(document: Document.Parsed): number | undefined {
  let found: number | undefined;
  visit(document, {
    Pair(_, { key }: Pair) {
      if (!isCollection(key)) return undefined;
      found = key.range?.[0];
      return visit.BREAK;
    },
  });
  return found;
}
