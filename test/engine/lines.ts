/** What follows `start` in the lines of a log that begin with it. */
export function linesAfter(log: string, start: string): string[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length));
}
