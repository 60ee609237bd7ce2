/**
 * Replaces lone surrogates in all names and strings of a record by U+FFFD: they are no characters,
 * and receivers refuse a request that holds one. The depth of a record is bounded by its parser.
 */
export function makeWellFormed(container: Record<string, unknown>): void {
  for (const name of Object.keys(container)) {
    const value = container[name];
    if (typeof value === 'string') container[name] = value.toWellFormed();
    else if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
      makeWellFormed(value as Record<string, unknown>);
    }
    if (name.isWellFormed()) continue;
    let valid = name.toWellFormed();
    while (Object.hasOwn(container, valid)) valid += '_';
    container[valid] = container[name];
    delete container[name];
  }
}
