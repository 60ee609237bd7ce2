import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { assetOf } from './assets.ts';

test('the page is at most 150 KB compressed, and loads nothing from elsewhere', () => {
  const assets = ['', 'page.js', 'page.css'].map((name) => assetOf(name)?.content ?? Buffer.of());
  const size = assets.reduce((sum, content) => sum + gzipSync(content).length, 0);
  assert.ok(size > 10_000 && size < 150_000, `${size} B`);
  const [html = '', , css = ''] = assets.map(String);
  assert.doesNotMatch(html + css, /https?:\/\//);
});
