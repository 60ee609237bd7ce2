import { TestProcess } from '@sidekit/test-kit';

const INDEX = new URL('../index.ts', import.meta.url).href;

/** Runs an ES module in a process of its own; everything the package exports is in `shm`. */
export function startScript(script: string, args: readonly string[] = []): TestProcess {
  const source = `import * as shm from ${JSON.stringify(INDEX)};\n${script}`;
  return new TestProcess(process.execPath, ['--input-type=module', '--eval', source, ...args]);
}
