import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Log, monotonic } from '@sidekit/core';
import { byNumber } from '../state/by-number.ts';
import { PARKED_EXTENSION, type ParkedHeader } from '../state/parking.ts';
import { Batch, Payload } from './batch.ts';
import type { Delivery } from './delivery.ts';

const LF = 0x0a;

/**
 * Delivers the parked batches again, oldest first, each to its output. Delivered ones are removed;
 * records that are refused again are parked again by the delivery.
 * @param deliveries one for each output.
 * @returns the number of batches that were delivered; it ends early if `stopping` aborts.
 */
export async function replayParked(
  directory: string,
  deliveries: readonly Delivery[],
  log: Log,
  stopping: AbortSignal,
): Promise<number> {
  let replayed = 0;
  for (const name of parkedFiles(directory)) {
    const path = join(directory, name);
    const content = readFileSync(path);
    const end = content.indexOf(LF);
    const header = headerOf(content.toString('utf8', 0, Math.max(0, end)));
    const delivery = deliveries.find(({ output }) => output.name === header?.output);
    if (!header || !delivery) {
      log.warn('a parked batch is of no output that is configured', {
        event: 'replay_skipped',
        path,
        output: header?.output,
      });
      continue;
    }
    const batch = new Batch(new Payload(), monotonic());
    batch.payload.appendBytes(content.subarray(end + 1));
    batch.count = header.records;
    delivery.submit(batch);
    while (!delivery.idle && !stopping.aborted) await delivery.change(stopping);
    if (!delivery.idle) break;
    unlinkSync(path);
    replayed++;
  }
  return replayed;
}

/** Returns the names of the parked batches, oldest first. */
function parkedFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(PARKED_EXTENSION))
      .sort(byNumber);
  } catch {
    // Nothing was ever parked.
    return [];
  }
}

function headerOf(text: string): ParkedHeader | undefined {
  try {
    const header = JSON.parse(text) as Partial<ParkedHeader> | null;
    const valid = typeof header?.output === 'string' && Number.isSafeInteger(header.records);
    return valid ? (header as ParkedHeader) : undefined;
  } catch {
    return undefined;
  }
}
