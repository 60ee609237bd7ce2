/** The commit of a ref by its short or full name: branches before tags, as git-clone(1) does. */
export function findRef(refs: ReadonlyMap<string, string>, ref: string): string | undefined {
  return refs.get(ref) ?? refs.get(`refs/heads/${ref}`) ?? refs.get(`refs/tags/${ref}`);
}

/** Whether a ref is a commit by its whole id, which never moves. */
export function isCommitId(ref: string): boolean {
  return /^[0-9a-f]{40}$/.test(ref);
}
