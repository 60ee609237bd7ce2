/**
 * Replaces `$(NAME)` by the variable's value; `$$` is a dollar sign, and a reference to an unknown
 * name stays as it is (Kubernetes, "Define Dependent Environment Variables").
 */
export function expand(text: string, find: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (find(name) ?? whole),
  );
}
