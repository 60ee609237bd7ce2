import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health, Registry, silentLog } from '@sidekit/core';
import { eventually } from '@sidekit/test-kit';
import { adapterMetrics } from '../observe/own-counters.ts';
import { Batch, Payload } from './batch.ts';
import { Delivery } from './delivery.ts';
import { ndjson } from './encoding.ts';
import { ACCEPTED } from './output.ts';

function batch(count = 1, record = '{}'): Batch {
  const one = new Batch(new Payload(), 0);
  one.payload.append(`${record}\n`.repeat(count));
  one.count = count;
  return one;
}

const USUAL = {
  retry: { base: 1, cap: 1 },
  log: silentLog,
  condition: new Health().condition('output'),
  park: undefined,
  now: () => 0,
  onIdle: () => {},
};

for (const turns of [0, 1, 2, 3, 4, 5]) {
  test(`a batch that comes ${turns} turns after the delivery of the last one is delivered`, async () => {
    const delivered: Batch[] = [];
    const output = { name: 'test', encoding: ndjson, deliver: async () => ACCEPTED };
    const delivery = new Delivery(output, {
      ...USUAL,
      metrics: adapterMetrics(new Registry()),
      onDelivered: async (one) => {
        delivered.push(one);
        if (delivered.length > 1) return;
        for (let turn = 0; turn < turns; turn++) await undefined;
        delivery.submit(batch());
      },
    });
    delivery.submit(batch());
    await eventually(() => delivered.length === 2, { what: 'the second is delivered' });
    assert.ok(delivery.idle);
    await delivery.close();
  });
}
