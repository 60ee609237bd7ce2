import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { type Fault, faultText } from '../errors.ts';
import { CONFIG_LIMIT, parseConfig, readConfigFile } from './file.ts';

async function parse(source: string) {
  const faults: Fault[] = [];
  const data = await parseConfig(source, 'c.yaml', (fault) => faults.push(fault));
  return { data, faults: faults.map(faultText) };
}

test('YAML and JSON are read', async () => {
  assert.deepEqual(await parse('a: 1\nb: [x, y]\n'), { data: { a: 1, b: ['x', 'y'] }, faults: [] });
  assert.deepEqual((await parse('{"a": {"b": null}}')).data, { a: { b: null } });
  assert.deepEqual((await parse('')).data, {});
});

test('each fault of YAML is named with its line and column', async () => {
  const { data, faults } = await parse('a: 1\na: 2\nb: "open\n');
  assert.equal(data, undefined);
  assert.equal(faults.length, 2);
  assert.match(faults[0]!, /^c\.yaml:2:1 is not YAML \(Map keys must be unique\): fix the file$/);
  assert.match(faults[1]!, /^c\.yaml:\d:\d+ is not YAML \(Missing closing "quote\)/);
});

test('an alias without its anchor and a bomb of aliases are faults, not crashes', async () => {
  assert.match((await parse('a: *nope\n')).faults[0]!, /^c\.yaml.* is not YAML \(Unresolved alias/);
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++) {
    const alias = Array(9).fill(`*a${i - 1}`);
    bomb.push(`a${i}: &a${i} [${alias.join(', ')}]`);
  }
  assert.match((await parse(bomb.join('\n'))).faults[0]!, /Excessive alias count/);
});

test('a value that contains itself is a fault, one that is used twice is not', async () => {
  assert.deepEqual((await parse('a: &a\n  - b: [*a]\n')).faults, [
    'c.yaml has an alias within its own anchor: write the value out',
  ]);
  assert.deepEqual((await parse('a: &a [1]\nb: [*a, *a]\n')).data, { a: [1], b: [[1], [1]] });
});

test('files with many tokens are refused in one line', async () => {
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i}: 1\n`).join('');
  const many = await parse(`${keys(2000)}k7: 2\n`);
  assert.deepEqual(many.faults, [
    'c.yaml:2001:1 is not YAML (Map keys must be unique): fix the file',
  ]);
  assert.deepEqual((await parse('- '.repeat(450_000))).faults, [
    'c.yaml has more than 400,000 YAML tokens: split it, or write fewer values',
  ]);
  assert.deepEqual((await parse(`a: ${'['.repeat(5000)}`)).faults, [
    'c.yaml is nested too deeply: split it, or write fewer values',
  ]);
});

test('a file that holds no mapping is refused', async () => {
  assert.deepEqual((await parse('- a\n')).faults, [
    'c.yaml must hold key: value lines: see --help for the keys',
  ]);
});

test('a file that cannot be read or is too large is named with the reason', async () => {
  using directory = temporaryDirectory();
  const faults: string[] = [];
  const report = (fault: Fault) => void faults.push(faultText(fault));
  const large = join(directory.path, 'large.yaml');
  writeFileSync(large, 'x'.repeat(CONFIG_LIMIT + 1));
  await readConfigFile(join(directory.path, 'none'), '--config', report);
  await readConfigFile(directory.path, '--config', report);
  await readConfigFile(large, 'GADGET_CONFIG', report);
  assert.match(faults[0]!, /^--config ".*none" cannot be read \(ENOENT.*\): give the path/);
  assert.match(faults[1]!, /not a regular file, but a directory/);
  assert.match(faults[2]!, /^GADGET_CONFIG .* cannot be read \(it is larger than 1MiB\)/);
});

test('a FIFO or device is not opened, and a pipe of the shell is read up to the limit', async () => {
  using directory = temporaryDirectory();
  const fifo = join(directory.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const faults: string[] = [];
  const report = (fault: Fault) => void faults.push(faultText(fault));
  for (const path of [fifo, '/dev/zero']) await readConfigFile(path, '--config', report);
  assert.match(faults[0]!, /not a regular file/);
  assert.match(faults[1]!, /not a regular file/);
  const module = JSON.stringify(new URL('./file.ts', import.meta.url).href);
  const program = `
    const { readConfigFile } = await import(${module});
    console.log(await readConfigFile('/dev/stdin', '--config', ({ rule }) => console.log(rule)));`;
  const read = (writer: string) => {
    const line = `${writer} | "$0" --input-type=module -e "$1"`;
    return execFileSync('sh', ['-c', line, process.execPath, program], { encoding: 'utf8' });
  };
  assert.equal(read("echo 'a: 1'"), '{ a: 1 }\n');
  assert.match(read(`head -c ${CONFIG_LIMIT + 1} /dev/zero`), /larger than 1MiB/);
});
