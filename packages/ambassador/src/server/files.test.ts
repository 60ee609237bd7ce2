import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import type { ListenerOptions } from '../options/table.ts';
import { resolveRules } from './header-values.ts';
import { readTls } from './tls-files.ts';

test('a FIFO in place of a certificate or of a header value is refused, and not waited for', () => {
  using directory = temporaryDirectory();
  const fifo = join(directory.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const refused = /not a regular file/;
  assert.throws(() => readTls({ tlsCert: fifo } as ListenerOptions), refused);
  assert.throws(() => resolveRules([{ set: 'X-Token', file: fifo } as never], {}), refused);
});
