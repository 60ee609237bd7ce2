import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health, Registry, silentLog } from '@sidekit/core';
import { eventually } from '@sidekit/test-kit';
import { adapterMetrics } from '../observe/own-counters.ts';
import { Batch, PayloadPool } from './batch.ts';
import { Delivery } from './delivery.ts';
import { ndjson } from './encoding.ts';

const pool = new PayloadPool(64, 4);

function batch(): Batch {
  const one = new Batch([pool.take()], 0);
  one.payloads[0]!.append('{}\n');
  one.count = 1;
  return one;
}

for (const turns of [0, 1, 2, 3, 4, 5]) {
  test(`a batch that comes ${turns} turns after the delivery of the last one is delivered`, async () => {
    const delivered: Batch[] = [];
    const delivery = new Delivery([{ name: 'test', encoding: ndjson, deliver: async () => ({}) }], {
      bufferBytes: 1024,
      retry: { base: 1, cap: 1 },
      encodingNames: ['ndjson'],
      pool,
      metrics: adapterMetrics(new Registry()),
      log: silentLog,
      condition: (output) => new Health().condition(output),
      park: undefined,
      onDelivered: async (one) => {
        delivered.push(one);
        if (delivered.length > 1) return;
        for (let turn = 0; turn < turns; turn++) await undefined;
        delivery.submit(batch());
      },
    });
    delivery.submit(batch());
    await eventually(() => delivered.length === 2, {
      what: 'the second is delivered',
      timeout: 1000,
    });
    assert.ok(delivery.empty);
    await delivery.close();
  });
}
