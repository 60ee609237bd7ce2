import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { cut, fold } from './output.ts';

test('a text is folded between words, and one word that is too long stays whole', () => {
  assert.deepEqual(fold('a bb ccc dddddddd e', 6), ['a bb', 'ccc', 'dddddddd', 'e']);
  assert.deepEqual(fold('', 10), ['']);
});

test('a text is cut between words, and colours take no columns', () => {
  assert.equal(cut('\x1b[1mworked\x1b[0m', 6), '\x1b[1mworked\x1b[0m');
  assert.equal(cut('one two three', 10), 'one two …');
  assert.equal(cut('averylongwordindeed', 10), 'averylon …');
});

test('nothing is coloured where the output is no terminal, NO_COLOR is set, or TERM is dumb', () => {
  const program = `
    process.stdout.isTTY = process.argv[1] === 'terminal';
    const { red } = await import('./scripts/support/output.ts');
    process.stdout.write(red('x'));`;
  const printed = (where: string, env: NodeJS.ProcessEnv) => {
    const { NO_COLOR: _, ...inherited } = process.env;
    const options = { env: { ...inherited, TERM: 'xterm', ...env }, encoding: 'utf8' } as const;
    return spawnSync(process.execPath, ['-e', program, where], options).stdout;
  };
  assert.equal(printed('terminal', {}), '\x1b[31mx\x1b[0m');
  assert.equal(printed('file', {}), 'x');
  assert.equal(printed('terminal', { NO_COLOR: '1' }), 'x');
  assert.equal(printed('terminal', { TERM: 'dumb' }), 'x');
});
