import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { createLog, silentLog } from '../observe/log.ts';
import { PollingWatch } from './watch.ts';

const HOUR = 3_600_000;

/** A watch that counts its polls; by hints alone, since the next poll by time is far off. */
function counting(directories: readonly string[], interval = HOUR) {
  const state = { polls: 0 };
  const watch = new PollingWatch({
    directories,
    interval,
    poll: () => {
      state.polls++;
    },
    log: silentLog,
  });
  const more = async (change: () => void) => {
    const before = state.polls;
    change();
    await eventually(() => state.polls > before, { what: 'a poll after a change' });
  };
  return { state, watch, more };
}

test('it polls at once, and again after a hint', async () => {
  using directory = temporaryDirectory();
  const { state, watch, more } = counting([directory.path]);
  await eventually(() => state.polls > 0, { what: 'the first poll' });
  await more(() => writeFileSync(join(directory.path, 'f'), 'x'));
  await watch.close();
});

test('it polls at the interval without any hint', async () => {
  const { state, watch } = counting([], 1);
  await eventually(() => state.polls > 3, { what: 'polls' });
  await watch.close();
  const { polls } = state;
  await watch.wake();
  assert.equal(state.polls, polls, 'none after the end');
});

test('a directory that comes later, or is recreated, is watched from then on', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'later');
  const { watch, more } = counting([path]);
  mkdirSync(path);
  await watch.wake();
  await more(() => writeFileSync(join(path, 'f'), 'x'));
  rmSync(path, { recursive: true });
  mkdirSync(path);
  await watch.wake();
  await watch.wake();
  await more(() => writeFileSync(join(path, 'g'), 'x'));
  await watch.close();
});

test('polls never overlap; a wake during one leads to one more', async () => {
  let running = 0;
  let most = 0;
  let polls = 0;
  const watch = new PollingWatch({
    directories: [],
    interval: HOUR,
    poll: async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      polls++;
    },
    log: silentLog,
  });
  await Promise.all([watch.wake(), watch.wake(), watch.wake()]);
  assert.equal(most, 1);
  assert.equal(polls, 2);
  await watch.close();
});

for (const turns of [0, 1, 2, 3, 4]) {
  test(`a wake that comes ${turns} turns behind the end of a poll leads to one more`, async () => {
    let polls = 0;
    const wakeLater = async () => {
      for (let turn = 0; turn < turns; turn++) await undefined;
      watch.wake();
    };
    const watch = new PollingWatch({
      directories: [],
      interval: HOUR,
      poll: async () => {
        if (++polls !== 2) return;
        await undefined;
        void wakeLater();
      },
      log: silentLog,
    });
    await watch.wake();
    await eventually(() => polls >= 3, { what: 'one more poll', timeout: 1000 });
    await watch.close();
  });
}

test('a directory that cannot be reached is watched for no hints, and ends nothing', async () => {
  using directory = temporaryDirectory();
  const { state, watch } = counting([join(directory.path, 'x'.repeat(300))], 1);
  await eventually(() => state.polls > 2, { what: 'polls' });
  await watch.close();
});

test('a poll that fails is logged and does not end the watch', async () => {
  const lines: string[] = [];
  const watch = new PollingWatch({
    directories: [],
    interval: 1,
    poll: () => {
      throw new Error('boom');
    },
    log: createLog({ name: 'test', write: (line) => lines.push(line) }),
  });
  await eventually(() => lines.length > 2, { what: 'several failures' });
  assert.match(lines[0]!, /a poll failed.*boom/);
  await watch.close();
});

test('where inotify has no instance left it says so once and goes on by polling', async () => {
  // A user namespace of its own with a limit of 0 (util-linux' unshare, namespaces(7)).
  using directory = temporaryDirectory();
  const program = fileURLToPath(new URL('../testing/watch.ts', import.meta.url));
  const script = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" "$@"';
  const command = ['--user', '--map-root-user', 'sh', '-c', script, process.execPath, program];
  await using watcher = new TestProcess('unshare', [...command, directory.path]);
  await eventually(() => watcher.stdout.split('\n').length > 3, {
    what: `polls of ${watcher.stderr}`,
  });
  const warnings = watcher.log.filter(({ level }) => level === 'warn');
  assert.equal(warnings.length, 1, watcher.stderr);
  assert.match(String(warnings[0]?.error), /EMFILE/);
});
