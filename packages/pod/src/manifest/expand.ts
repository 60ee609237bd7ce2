/**
 * Replaces `$(NAME)` by the variable's value; `$$` is a dollar sign, and a reference to an unknown
 * name stays as it is (Kubernetes, "Define Dependent Environment Variables").
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)/g,
    (whole, name: string | undefined) =>
      name === undefined ? '$' : (variables.get(name) ?? whole),
  );
}
