/**
 * The shape of a package: the root of `src/` holds `main.ts` or `index.ts` and what composes the
 * program, in at most eight files; everything else is in folders that say what it is. Tests wait
 * for conditions, so timers belong to the helpers in `testing/` folders.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const MOST_ROOT_FILES = 8;
const SLEEP = /\bsetTimeout\b|\btimers\/promises\b|\b(?:sleep|delay)\(/;

/** Returns every `src/` with too many files at its root. */
export function rootFaults(root: string): string[] {
  const files = globSync('packages/*/src/*.ts', { cwd: root });
  const counts = new Map<string, number>();
  for (const path of files.filter((one) => !one.endsWith('.test.ts')))
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > MOST_ROOT_FILES)
    .map(([path, count]) => `${path} has ${count} files at its root: put parts into folders`);
}

/** Returns every use of a timer in a test file outside `testing/`. */
export function sleepFaults(root: string): string[] {
  return globSync('{packages/*/src,test,scripts,images}/**/*.test.ts', { cwd: root })
    .filter((path) => basename(path) !== basename(import.meta.filename, '.ts') + '.test.ts')
    .flatMap((path) =>
      timersIn(readFileSync(join(root, path), 'utf8')).map(
        (line) =>
          `${path}:${line}: a timer in a test: wait with eventually(), staysTrueFor() or later() of the test kit`,
      ),
    );
}

/** Returns the lines of a test with timers; programs in template literals are not the test's. */
export function timersIn(source: string): number[] {
  const blank = (text: string) => text.replace(/[^\n]/g, ' ');
  return source
    .replace(/`[^`]*`/g, blank)
    .split('\n')
    .flatMap((line, i) => (SLEEP.test(line) ? [i + 1] : []));
}
