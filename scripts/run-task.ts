/** Runs one task of package.json's scripts; a failure is one sentence, not a stack trace. */
import { exitOnSignals, interruptedCode } from './support/interruption.ts';
import { Usage } from './support/usage.ts';

interface Task {
  main(args: readonly string[]): Promise<number> | number;
}

const TASKS: Readonly<Record<string, () => Promise<Task>>> = {
  bench: () => import('./bench.ts'),
  check: () => import('./check.ts'),
  'check-words': () => import('./check-words.ts'),
  compose: () => import('./compose.ts'),
  demo: () => import('./demo.ts'),
  images: () => import('./images.ts'),
  injection: () => import('./injection.ts'),
  kind: () => import('./kind.ts'),
  media: () => import('./media.ts'),
  packages: () => import('./packages.ts'),
  page: () => import('./page.ts'),
  test: () => import('./test.ts'),
  'test-compose': () => import('./test-compose.ts'),
  'test-components': () => import('./test-components.ts'),
  'test-docs': () => import('./test-docs.ts'),
  'test-long': () => import('./test-long.ts'),
  'test-pods': () => import('./test-pods.ts'),
  'test-unit': () => import('./test-unit.ts'),
  version: () => import('./version.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
exitOnSignals();
try {
  process.exitCode = await run();
} catch (error) {
  process.exitCode = (await interruptedCode()) ?? report(error);
}

function report(error: unknown): number {
  const usage = isUsage(error);
  const advice = usage ? `. See npm run ${name.replace('test-', 'test:')} -- --help` : '';
  console.error(`\n${name}: ${error instanceof Error ? error.message : error}${advice}`);
  if (process.env.SIDEKIT_DEBUG) console.error(error);
  return usage ? 64 : 1;
}

async function run(): Promise<number> {
  const load = TASKS[name];
  if (!load) {
    console.error(`no task ${name}: there are ${Object.keys(TASKS).join(', ')}`);
    return 64;
  }
  const { main } = await load();
  if (args.length > 0 && main.length === 0) {
    throw new Usage(`it takes no arguments, but got ${args.join(' ')}`);
  }
  return main(args);
}

/** Whether the task, or node:util's parseArgs, refused the words of the call. */
function isUsage(error: unknown): boolean {
  if (error instanceof Usage) return true;
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}
