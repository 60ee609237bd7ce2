/** Returns an object's own value: the names of keys come from manifests, and `constructor` is one. */
export function ownValue<T>(object: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
