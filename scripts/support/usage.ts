/** A command that was called wrongly: exit code 64, and a pointer to its help. */
export class Usage extends Error {}

/**
 * Checks names before anything is built for them.
 * @throws {Usage} naming those that are unknown, and the known ones.
 */
export function checkNames(kind: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Usage(`no ${kind} ${unknown.join(', ')}: there are ${known.join(', ')}`);
}
