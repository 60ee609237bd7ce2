import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { render } from './render.ts';

const never = new AbortController().signal;

async function rendered(text: string, scope: object = {}, signal = never): Promise<string> {
  const pieces = await render({ text, path: 't', scope: { ...scope }, maxSize: 2 ** 30 }, signal);
  return Buffer.concat(pieces).toString();
}

const DOUBLED =
  '{% assign x = "a" %}{% for i in (1..20) %}{% assign x = x | append: x %}{% endfor %}';
const NESTED =
  '{% assign l = "ab" | split: "" %}{% for i in (1..40) %}{% assign l = l | push: l %}{% endfor %}';

const NUMBERS = '{% assign l = (1..400000) %}';

test('output, captures and arrays are written as Liquid writes them', async () => {
  const text =
    '{% capture c %}{{ l }}{{ n }}{{ e }}{% for i in l %}{{ forloop.index }}{% endfor %}{% endcapture %}{{ c }}|{{ l }}|{{ l | join: "," }}|{{ "<" | escape | upcase }}|{{ l | push: "c" | last }}|{{ a | where: "k", 1 | map: "v" }}';
  const scope = { l: ['a', ['b']], n: null, e: 1.5, a: [{ k: 1, v: 'x' }, { k: 2 }] };
  assert.equal(await rendered(text, scope), 'ab1.512|ab|a,b|&LT;|c|x');
});

test('an output larger than one piece is complete', async () => {
  const output = await rendered('{% for i in (1..20000) %}€{{ i }}\n{% endfor %}');
  assert.equal(output, Array.from({ length: 20_000 }, (_, i) => `€${i + 1}\n`).join(''));
});

test('a template that creates more than the limit is refused, however it does', async () => {
  const cases: Readonly<Record<string, string>> = {
    'captured in one go': `{% capture c %}{% for i in (1..100) %}${'a'.repeat(100_000)}{% endfor %}{% endcapture %}`,
    'captured again and again': `{% capture c %}a{% endcapture %}{% for i in (1..100) %}{% capture c %}{{ c }}{{ c }}{% endcapture %}{% endfor %}`,
    'captured arrays': `${DOUBLED}{% assign l = x | split: "" %}{% for i in (1..9) %}{% capture c %}{{ l }}{% endcapture %}{% endfor %}`,
    appended:
      '{% assign x = "a" %}{% for i in (1..40) %}{% assign x = x | append: x %}{% endfor %}',
    counted: '{% for i in (1..999999999) %}{% endfor %}',
    'pushed into itself': `${NESTED}{{ l }}`,
    'pushed and never shown': NESTED,
    'pushed and compared': `${NESTED}{% cycle l: 1, 2 %}`,
    'many references to one text': `${DOUBLED}{% assign l = "" | split: "" %}{% for i in (1..99) %}{% assign l = l | push: x %}{% endfor %}`,
    padded: '{{ "now" | date: "%99999999Y" }}',
  };
  for (const [name, text] of Object.entries(cases)) {
    const expected = { reason: 'template', message: /^t:1:\d+: .*memory alloc limit/ };
    await assert.rejects(rendered(text), expected, name);
  }
  const output = `{% for i in (1..200) %}${'a'.repeat(100_000)}{% endfor %}`;
  await assert.rejects(rendered(output), { reason: 'too_large', message: /larger than 16MiB/ });
});

test('a template that takes more memory than its thread has costs only that thread', async () => {
  await assert.rejects(rendered('{{1}}'.repeat(200_000)), {
    reason: 'template',
    message: /^t needs more than 32 MiB of memory: correct/,
  });
  assert.equal(await rendered('{{ 1 | plus: 1 }}'), '2');
});

test('rendering keeps the process responsive, and ends with the check', async () => {
  const controller = new AbortController();
  const slow = '{% assign m = l | where_exp: "i", "i > 0" %}'.repeat(9);
  const all = rendered(`${NUMBERS}${slow}`, {}, controller.signal);
  let ended = false;
  void all.catch(() => (ended = true));
  await eventually(() => !ended, { what: 'a turn of the event loop' });
  controller.abort(new Error('stopped'));
  await assert.rejects(all, /stopped/);
});
