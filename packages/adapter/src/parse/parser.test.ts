import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLogfmt } from './logfmt.ts';
import { syslogParser } from './syslog.ts';

test('a name that JavaScript treats specially is a field like others, in each format', () => {
  const names = ['__proto__', 'constructor', 'toString'];
  for (const name of names) {
    const own = `{"${name}":"x","b":"y"}`;
    assert.equal(JSON.stringify(parseLogfmt(`${name}=x b=y`)), own);
    assert.equal(JSON.stringify(parseLogfmt(`${name}="x" b=y`)), own);
    const { structured_data: data } = syslogParser()(
      `<13>1 - - - - - [${name} ${name}="x" b="y"]`,
    ) as { structured_data: unknown };
    assert.equal(JSON.stringify(data), `{"${name}":${own}}`);
  }
});
