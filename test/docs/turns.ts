const last = new Map<string, Promise<unknown>>();

/** Runs work once none that was given before it uses one of the same names. */
export function inTurn<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
  const before = names.flatMap((name) => last.get(name) ?? []);
  const done = Promise.allSettled(before).then(work);
  for (const name of names) last.set(name, done);
  return done;
}
