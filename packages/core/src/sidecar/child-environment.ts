/** The environment of a child process: that of this one, with more. */
export function childEnvironment(
  more: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  return { ...process.env, ...more };
}
