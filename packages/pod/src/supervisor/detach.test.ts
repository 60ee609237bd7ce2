import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { PodStore } from '../store/store.ts';
import { WaitingSupervisor } from './detach.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** Lists the processes that wait for a Pod of a store. */
function waitingIn(root: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0supervise\0-\0${root}`);
    } catch {
      // It has ended, or is none.
      return false;
    }
  });
}

const linux = { skip: process.platform !== 'linux' && 'reads /proc' };

test('a supervisor that gets no Pod ends, and leaves nothing', linux, async () => {
  using folder = temporaryDirectory('waiting');
  const store = PodStore.open({ root: folder.path, data: `${folder.path}/volumes` });
  const before = readdirSync(folder.path);
  const waiting = new WaitingSupervisor([], store, { program: MAIN, environment: process.env });
  await eventually(() => waitingIn(folder.path).length === 1, { what: 'it waits' });
  waiting[Symbol.dispose]();
  await eventually(() => waitingIn(folder.path).length === 0, { what: 'it has ended' });
  assert.deepEqual(readdirSync(folder.path), before);
  const pod = store.pod('web');
  pod.claim();
  assert.equal(waiting.supervise(pod), false);
});

test('a supervisor that waits ends with the command that started it', linux, async () => {
  using folder = temporaryDirectory('waiting');
  const program = `
    const { PodStore } = await import(${here('../store/store.ts')});
    const { WaitingSupervisor } = await import(${here('./detach.ts')});
    const store = PodStore.open({ root: ${JSON.stringify(folder.path)}, data: ${JSON.stringify(`${folder.path}/volumes`)} });
    new WaitingSupervisor([], store, { program: ${JSON.stringify(MAIN)}, environment: process.env });
    setInterval(() => {}, 1e6);`;
  await using starter = new TestProcess(process.execPath, ['--input-type=module', '-e', program]);
  await eventually(() => waitingIn(folder.path).length === 1, { what: 'it waits' });
  starter.kill('SIGKILL');
  await eventually(() => waitingIn(folder.path).length === 0, { what: 'it has ended' });
  // Its log is removed by the next command.
  PodStore.open({ root: folder.path, data: `${folder.path}/volumes` });
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.startsWith('temporary-')),
    [],
  );
});
