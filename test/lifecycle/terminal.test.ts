import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { apply, lifecycle, lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore, POD } from './own-store.ts';

lifecycle('terminals and stdin', () => {
  test('a container has a terminal if it asks for one, and a stdin that stays open', async () => {
    const program = (text: string) => JSON.stringify(['/nodejs/bin/node', '-e', text]);
    const terminal = program(
      "console.log([process.stdout, process.stdin].map(({ isTTY }) => String(isTTY)).join(' '))",
    );
    const ends = (then: string) =>
      program(
        `process.stdin.on('end', () => { console.log('stdin ended'); process.exit() }).resume(); ${then}`,
      );
    await using pod = await apply(
      'lc-terminal',
      `
restartPolicy: Never
containers:
- {name: terminal, tty: true, stdin: true, command: ${terminal}}
- {name: plain, command: ${terminal}}
- {name: open, stdin: true, command: ${ends("setTimeout(() => { console.log('stdin stays'); process.exit() }, 2000)")}}
- {name: closed, command: ${ends('')}}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    const log = async (name: string) => (await pod.session.finalLog('lc-terminal', name)).trim();
    assert.equal(await log('terminal'), 'true true');
    assert.equal(await log('plain'), 'undefined undefined');
    assert.equal(await log('open'), 'stdin stays');
    assert.equal(await log('closed'), 'stdin ended');
  });
});

const local = process.env.POD_ENGINE === 'kube' ? test.skip : test;

local('exec -it gives the command a terminal, exec -i passes stdin on', async () => {
  await using store = new OwnStore();
  await store.pod(
    'up',
    store.file('exec.yaml', lifecyclePod('lc-exec-it', 'containers: [{name: a, run: a}]')),
  );
  const node = '/nodejs/bin/node -p';
  // script(1) of util-linux runs it on a terminal of its own.
  const child = spawn(
    'script',
    ['-qec', `${POD} exec -it lc-exec-it -- ${node} process.stdout.isTTY`, '/dev/null'],
    { env: store.env, stdio: ['pipe', 'pipe', 'ignore'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  assert.equal(await new Promise((resolve) => child.once('close', resolve)), 0);
  assert.match(output, /true/);
  const piped = await store.try(
    [
      'exec',
      '-i',
      'lc-exec-it',
      '--',
      '/nodejs/bin/node',
      '-e',
      'process.stdin.pipe(process.stdout)',
    ],
    'passed on',
  );
  assert.deepEqual([piped.code, piped.stdout], [0, 'passed on']);
});
