/** As a kubelet does: `$(NAME)` is a variable of the container, if there is one; `$$` is a `$`. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([\w.-]+)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (variables.get(name) ?? whole),
  );
}

/** Compose replaces $NAME; $$ is a dollar sign. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}
