import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { Secured } from './credentials.ts';

function secured(files: Partial<ConstructorParameters<typeof Secured>[0]>): Secured {
  const none = { authorizationFile: undefined, bearerFile: undefined, basicFile: undefined };
  const plain = { caFile: undefined, certFile: undefined, keyFile: undefined };
  return new Secured({ ...none, ...plain, ...files }, () => new http.Agent());
}

test('a FIFO in place of a token or certificate is refused, and not waited for', () => {
  using directory = temporaryDirectory();
  const fifo = join(directory.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const refused = /fifo cannot be read \(it is not a regular file/;
  assert.throws(() => secured({ bearerFile: fifo }).headers(), refused);
  assert.throws(() => secured({ caFile: fifo }).agent(), refused);
});

test('a token is read again for every request', () => {
  using directory = temporaryDirectory();
  const bearerFile = join(directory.path, 'token');
  const output = secured({ bearerFile });
  for (const token of ['a', 'b']) {
    writeFileSync(bearerFile, `${token}\n`);
    assert.deepEqual(output.headers(), { authorization: `Bearer ${token}` });
  }
});
