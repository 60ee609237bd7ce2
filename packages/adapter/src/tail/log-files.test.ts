import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import { LogFiles } from './log-files.ts';
import { Logs } from './logs.ts';

test('files for which there is no room cost one count of the open ones a scan', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'app.log');
  writeFileSync(path, 'x');
  let counts = 0;
  class CountedLogs extends Logs {
    override *generations() {
      counts++;
      yield* super.generations();
    }
  }
  const files = new LogFiles(new CountedLogs(), { mostOpenFiles: 0, log: silentLog });
  for (let scan = 1; scan <= 3; scan++) {
    files.beginScan();
    for (let i = 0; i < 100; i++) assert.equal(files.open(path, '1:2'), undefined);
    assert.equal(counts, scan);
  }
});
