import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault, faultText } from '../errors.ts';
import { table } from '../testing/table.ts';
import { readFlags } from './flags.ts';
import { defineOptions, type OptionTable } from './table.ts';

function read(argv: readonly string[], of: OptionTable = table) {
  const faults: Fault[] = [];
  const line = readFlags(of, argv, (fault) => faults.push(fault));
  return { ...line, given: Object.fromEntries(line.given), faults: faults.map(faultText) };
}

const operands: OptionTable = defineOptions({
  command: 'op',
  summary: 'takes operands',
  prefix: 'OP',
  options: table.options,
  operands: { label: 'TARGET', description: 'what', min: 1, command: true },
});

test('flags are read with a space and with an equals sign', () => {
  const { given, faults } = read(['--queue', '/q', '--count=5', '--log-level=debug']);
  assert.deepEqual(given, { queue: '/q', count: '5', logLevel: 'debug' });
  assert.deepEqual(faults, []);
});

test('a boolean flag stands alone, takes =value, and has a --no- twin', () => {
  assert.equal(read(['--fast']).given.fast, true);
  assert.equal(read(['--no-fast']).given.fast, false);
  assert.equal(read(['--fast=false']).given.fast, 'false');
  assert.deepEqual(read(['--no-fast=true']).faults, [
    '--no-fast "true" takes no value: write --no-fast or --fast',
  ]);
});

test('a repeated flag adds to a list and is refused elsewhere, a secret unseen', () => {
  assert.deepEqual(read(['--include', '/x', '--include', '/y']).given.include, ['/x', '/y']);
  assert.deepEqual(read(['--count', '1', '--count', '2']).faults, [
    '--count "2" is given twice: give it once',
  ]);
  assert.deepEqual(read(['--token', 't-1', '--token', 't-2']).faults, [
    '--token is given twice: give it once',
  ]);
});

test('an unknown flag is refused with the nearest known one', () => {
  assert.deepEqual(read(['--quue', '/q']).faults, [
    '--quue is not a known flag: did you mean --queue?',
  ]);
  assert.deepEqual(read(['--no-count']).faults, [
    '--no-count is not a known flag: did you mean --count?',
  ]);
  assert.equal(read(['-x']).faults.length, 1);
});

test('a flag without its value is refused, also before another flag', () => {
  const fault = '--queue needs a value: write --queue <queue name>';
  assert.deepEqual(read(['--queue']).faults, [fault]);
  assert.deepEqual(read(['--queue', '--fast']).faults, [fault]);
  assert.deepEqual(read(['--count', '-5']).given, { count: '-5' });
});

test('an option of the file is refused on the command line', () => {
  assert.deepEqual(read(['--routes', 'x']).faults, [
    '--routes can only be set in a file: write routes: in the file of --config',
  ]);
});

test('words are refused where a command takes none, and required where it needs them', () => {
  assert.deepEqual(read(['word']).faults, [
    'word is not expected: gadget takes flags only; see --help',
  ]);
  assert.deepEqual(read([], operands).faults, ['TARGET is missing: give at least 1; see --help']);
  assert.deepEqual(read(['--help'], operands).faults, []);
});

test('everything after -- is a command, its flags untouched', () => {
  const line = read(['a', '--fast', '--', 'ls', '--count', '-h'], operands);
  assert.deepEqual(line.operands, ['a']);
  assert.deepEqual(line.command, ['ls', '--count', '-h']);
  assert.deepEqual(line.given, { fast: true });
  assert.equal(line.help, false);
  assert.equal(read(['a'], operands).command, undefined);
});

test('help and version are found next to anything else', () => {
  assert.equal(read(['--nope', '-h']).help, true);
  assert.equal(read(['--version']).version, true);
});
