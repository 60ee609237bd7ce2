import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProgram } from '@sidekit/test-kit';
import { version } from '../version.ts';

async function run(fixture: string, args: readonly string[], env: Record<string, string> = {}) {
  const program = new URL(`../testing/${fixture}.ts`, import.meta.url);
  await using started = startProgram(program, args, { env });
  const { code } = await started.exited;
  return { code, stdout: started.stdout, stderr: started.stderr };
}

test('bad usage names every fault, exits 64 and shows no stack trace', async () => {
  const { code, stdout, stderr } = await run(
    'sidecar',
    ['serve', '--behave', 'badly', '--admni', ':1'],
    { GADGET_BEHAVIOUR: 'x' },
  );
  assert.equal(code, 64);
  assert.equal(stdout, '');
  assert.deepEqual(stderr.split('\n'), [
    'gadget serve: the configuration is wrong:',
    '  --admni is not a known flag: did you mean --admin?',
    '  GADGET_BEHAVIOUR is not a known variable: did you mean GADGET_BEHAVE?',
    '  --behave "badly" must be one of well, end, stuck, unavailable, throw, uncaught, abort, fifo',
    'See --help.',
    '',
  ]);
});

test('a command that is missing or unknown exits 64 and names the known ones', async () => {
  const missing = await run('sidecar', []);
  assert.equal(missing.code, 64);
  assert.match(missing.stderr, /^gadget: .*\n {2}command is missing: give one of serve\n/);
  const unknown = await run('sidecar', ['sevre']);
  assert.equal(unknown.code, 64);
  assert.match(unknown.stderr, / {2}sevre is not a known command: did you mean serve\?\n/);
  assert.equal((await run('sidecar', ['constructor'])).code, 64);
});

test('help and version go to stdout and exit 0', async () => {
  const overview = await run('sidecar', ['--help']);
  assert.equal(overview.code, 0);
  assert.match(overview.stdout, /gadget serve +serves until it is stopped\./);
  assert.match((await run('sidecar', ['serve', '--help'])).stdout, /Usage: gadget serve/);
  assert.equal((await run('sidecar', ['--version'])).stdout, `${version}\n`);
  assert.equal((await run('tool', ['--version'])).stdout, `${version}\n`);
});

test('a tool without an admin server runs, fails and refuses like a sidecar', async () => {
  const good = await run('tool', ['a', 'b']);
  assert.deepEqual(good, { code: 0, stdout: 'a b\n', stderr: '' });
  const failed = await run('tool', ['a', '--fail']);
  assert.deepEqual(failed, { code: 69, stdout: '', stderr: 'tool: no words today\n' });
  const wrong = await run('tool', []);
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /WORD is missing: give at least 1/);
});
