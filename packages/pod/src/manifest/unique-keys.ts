import { type Document, isScalar, type Scalar, visit } from 'yaml';

/**
 * Finds keys that are given twice in one object. The reader's own check compares every key with
 * every other one, which takes minutes for a large object.
 */
export function repeatedKeys(document: Document.Parsed): Scalar[] {
  const repeated: Scalar[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        // Objects may be merged one after another.
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) repeated.push(key);
        seen.add(key.value);
      }
    },
  });
  return repeated;
}
