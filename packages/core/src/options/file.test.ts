import assert from 'node:assert/strict';
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
  assert.match(faults[1]!, /EISDIR/);
  assert.match(faults[2]!, /^GADGET_CONFIG .* cannot be read \(1048577 bytes, more than 1MiB\)/);
});
