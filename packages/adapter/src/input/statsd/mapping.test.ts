import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@sidekit/core';
import { valuesOf } from '@sidekit/core/testing';
import { adapterTable } from '../../options/table.ts';
import { mappingOf } from './mapping.ts';
import { StatsdStore } from './store.ts';

/** A store with the rules of an option. */
function receiving(rules: readonly Record<string, unknown>[]) {
  const { statsdMappings } = valuesOf(adapterTable, { statsd: ':0', statsdMappings: rules });
  const registry = new Registry();
  const drops: string[] = [];
  const store = new StatsdStore(registry, {
    ...{ series: 100, buckets: [1], expiry: 0, now: () => 0 },
    mapping: mappingOf(statsdMappings),
    onDrop: (cause) => drops.push(cause),
  });
  return {
    send: (text: string) => store.datagram(text),
    drops,
    store,
    samples: () =>
      registry
        .render()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
  };
}

test('parts of a name become the name and labels, and the first rule that matches counts', () => {
  const s = receiving([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the option has braces of its own.
    { match: 'api.*.*.hits', name: 'api_${2}_total', labels: { route: '$1', code: '2xx-$2' } },
    { match: 'api.*.*.*', name: 'api_other_total' },
    { match: '^legacy\\.(\\w+)', matchType: 'regex', name: 'old_$1' },
  ]);
  s.send('api.users.get.hits:2|c|#route:tag,zone:a\napi.users.get.misses:1|c');
  s.send('api.users.hits:1|c\nlegacy.size.max:5|g\nxapi.users.get.hits:1|c');
  assert.deepEqual(s.samples().toSorted(), [
    'api_get_total{code="2xx-get",route="users",zone="a"} 2',
    'api_other_total 1',
    'api_users_hits 1',
    'old_size 5',
    'xapi_users_get_hits 1',
  ]);
});

test('metrics are dropped by rule and type, and are counted as such', () => {
  const s = receiving([
    { match: 'debug.*', action: 'drop' },
    { match: 'both', metricType: 'counter', action: 'drop' },
    { match: '.', matchType: 'regex', metricType: 'set', action: 'drop' },
  ]);
  s.send('debug.a:1|c\ndebug.a:1|c\nboth:1|c\nboth:3|g\nanything:x|s');
  assert.deepEqual(s.samples(), ['both 3']);
  assert.deepEqual(s.drops, ['mapping', 'mapping', 'mapping', 'mapping']);
});

test('a rule gives its histograms their own buckets, which count among the series', () => {
  const s = receiving([
    { match: '*.size', name: 'size_bytes', labels: { of: '$1' }, buckets: [10, 100, 1000] },
  ]);
  s.send('body.size:50|h\nhead.size:5000|h\nother:1|h');
  assert.equal(s.samples().filter((line) => line.startsWith('size_bytes_bucket{')).length, 8);
  assert.ok(
    s.samples().includes('size_bytes_bucket{of="body",le="100"} 1'),
    s.samples().join('\n'),
  );
  assert.equal(s.store.size, 6 + 6 + 4);
});

test('a hostile name costs linear time, whatever the rule', () => {
  const s = receiving([{ match: `${'*'.repeat(40)}x`, name: 'never' }]);
  s.send(`${'a'.repeat(250)}:1|c`);
  assert.equal(s.samples().length, 1);
});

test('rules that cannot work are refused', () => {
  const refused = (rule: Record<string, unknown>, fault: RegExp) =>
    assert.throws(() => receiving([rule]), fault);
  refused({ match: 'a.*' }, /statsdMappings\[0\]\.name.*missing/);
  refused({ match: 'a.*', name: 'x_$2' }, /refers to a group.*it has 1/);
  refused({ match: '(?=a)', matchType: 'regex', name: 'x' }, /linear time/);
  refused({ match: 'a', name: 'x', labels: { le: '1' } }, /label name/);
  refused({ match: 'a', name: 'x', buckets: [2, 1] }, /must ascend/);
});
