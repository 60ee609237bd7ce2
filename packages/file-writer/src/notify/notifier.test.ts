import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog, Registry } from '@sidekit/core';
import { eventually, staysTrueFor, temporaryDirectory } from '@sidekit/test-kit';
import { registerMetrics } from '../metrics.ts';
import { Notifier } from './notifier.ts';

/** Opens a notifier of a target whose published content has the digest `current`. */
function open(directory: string, { notifyFirst }: { readonly notifyFirst: boolean }) {
  const sent: string[] = [];
  /** Whether the record was there when the log said so. */
  const recorded: boolean[] = [];
  const target = join(directory, 'out');
  const notifier = new Notifier(
    async () => void sent.push('sent'),
    { target, notifyFirst, retryMax: 100 },
    {
      write: { fsync: false },
      metrics: registerMetrics(new Registry()),
      log: createLog({
        name: 'test',
        write: (line) => {
          if (line.includes('"notified"'))
            recorded.push(existsSync(join(directory, '.out.notified')));
        },
      }),
      stopping: new AbortController().signal,
    },
  );
  return { notifier, sent, recorded };
}

test('a first notification that an earlier run did not record is sent by the next', async () => {
  using directory = temporaryDirectory();
  const { notifier, sent, recorded } = open(directory.path, { notifyFirst: true });
  await notifier.open('published');
  await eventually(() => recorded.length === 1, { what: 'the notification' });
  assert.deepEqual([sent, recorded], [['sent'], [true]]);
  assert.equal(readFileSync(notifier.stateFile, 'utf8'), 'published\n');
});

test('content that was accepted, or is the first without --notify-first, notifies nobody', async () => {
  using directory = temporaryDirectory();
  const fresh = open(directory.path, { notifyFirst: false });
  await fresh.notifier.open('published');
  writeFileSync(fresh.notifier.stateFile, 'published\n');
  const again = open(directory.path, { notifyFirst: true });
  await again.notifier.open('published');
  await staysTrueFor(() => fresh.sent.length + again.sent.length === 0, 100, {
    what: 'nobody is notified',
  });
});
