import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestProcess } from '@sidekit/test-kit';

const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

test('up, supervisors and HTTP probes start without the web client of Node', async () => {
  const files = [
    '../commands/up.ts',
    '../commands/apply.ts',
    '../supervisor/supervisor.ts',
    '../supervisor/handlers/http.ts',
  ];
  const imports = files.map((file) => `await import(${here(file)});`).join('\n');
  const loaded = 'process.moduleLoadList.filter((name) => /undici/.test(name)).join()';
  const program = `${imports}\nconsole.log('loaded:', ${loaded});`;
  const words = ['--input-type=module', '-e', program];
  await using child = new TestProcess(process.execPath, words);
  assert.equal((await child.exited).code, 0, child.stderr);
  assert.equal(child.stdout, 'loaded: \n');
});
