/** Returns the rest of those lines of a log that begin with `start`. */
export function linesAfter(log: string, start: string): string[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length));
}
