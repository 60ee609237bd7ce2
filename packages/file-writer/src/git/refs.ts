/** Finds the commit of a ref by its short or full name: branches before tags, as git-clone(1) does. */
export function findRef(refs: ReadonlyMap<string, string>, ref: string): string | undefined {
  return refs.get(ref) ?? refs.get(`refs/heads/${ref}`) ?? refs.get(`refs/tags/${ref}`);
}

/** Checks whether a ref is a full commit id, which never moves. */
export function isCommitId(ref: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}
