import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { hasValidSignature } from './signature.ts';

test('a webhook counts with the signature of its body or the token of GitLab, and no other way', () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'secret');
  writeFileSync(file, 'webhook secret\n');
  const body = Buffer.from('{"ref": "refs/heads/main"}');
  const isValid = (headers: Record<string, string>) => hasValidSignature(file, { headers, body });
  const signature = createHmac('sha256', 'webhook secret').update(body).digest('hex');
  for (const headers of [
    { 'x-hub-signature-256': `sha256=${signature}` },
    { 'x-hub-signature': `sha256=${signature}` },
    { 'x-gitea-signature': signature.toUpperCase() },
    { 'x-gitlab-token': 'webhook secret' },
  ]) {
    assert.equal(isValid(headers as Record<string, string>), true, JSON.stringify(headers));
  }
  const sha1 = createHmac('sha1', 'webhook secret').update(body).digest('hex');
  for (const headers of [
    {},
    { 'x-hub-signature': `sha1=${sha1}` },
    { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
    { 'x-hub-signature-256': signature.slice(1) },
    { 'x-gitlab-token': '' },
    { 'x-gitlab-token': 'webhook secre' },
    { 'x-gitlab-token': 'webhook secret, webhook secret' },
    { 'x-gitlab-token': signature },
  ]) {
    assert.equal(isValid(headers as Record<string, string>), false, JSON.stringify(headers));
  }
  for (const empty of ['', ' \n']) {
    writeFileSync(file, empty);
    assert.equal(isValid({ 'x-gitlab-token': '' }), false, 'without a secret');
  }
});
