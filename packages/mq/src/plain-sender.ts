import { ExpectedError, monotonic } from '@sidekit/core';
import { aborted, Bell, firstOf, settled } from './first-of.ts';
import { BATCH_HEADER, writeBatchHeader } from './frame.ts';
import type { QueueMetrics } from './metrics.ts';
import type { Outlet } from './outlet.ts';
import type { Printer } from './printer.ts';
import type { Sender } from './sender.ts';
import type { Block } from './source/source.ts';
import { Spinning } from './spinning.ts';

export interface PlainSenderOptions {
  readonly outlet: Outlet;
  readonly priority: number;
  readonly batch: boolean;
  readonly printer: Printer | undefined;
  readonly metrics: QueueMetrics;
  readonly stopping: AbortSignal;
}

/** At-most-once: a message is the queue's as soon as mq_send(3) took it. */
export class PlainSender implements Sender {
  readonly #options: PlainSenderOptions;
  readonly #spinning = new Spinning();

  constructor(options: PlainSenderOptions) {
    this.#options = options;
  }

  async send(block: Block): Promise<void> {
    const { outlet, batch, stopping, printer } = this.#options;
    let sent = 0;
    while (!stopping.aborted) {
      if (outlet.removed) await outlet.moveOver(stopping);
      const { msgsize } = outlet.queue;
      const needed = block.longest + (batch ? 1 + BATCH_HEADER : 0);
      if (needed > msgsize) throw tooLong(needed, msgsize);
      sent = batch ? this.#sendBatches(block, sent) : this.#sendRecords(block, sent);
      printer?.flush();
      if (sent === block.count) break;
      await this.#room();
    }
    if (sent === block.count) block.accepted?.();
  }

  async idle<T>(source: Promise<T>): Promise<T> {
    const { outlet, stopping } = this.#options;
    const bell = new Bell();
    let come = false;
    settled(source)(() => {
      come = true;
      bell.ring();
    });
    for (;;) {
      if (outlet.removed) await outlet.moveOver(stopping);
      if (come) return source;
      await firstOf(bell.rung, outlet.changed.rung);
    }
  }

  async finish(exitMessage: string): Promise<void> {
    const { outlet, priority, printer, stopping } = this.#options;
    if (exitMessage === '') return;
    while (!outlet.queue.push(exitMessage, priority)) {
      await this.#room();
      if (stopping.aborted) return;
      if (outlet.removed) await outlet.moveOver(stopping);
    }
    const bytes = Buffer.from(exitMessage);
    printer?.add(bytes, 0, bytes.length);
    printer?.flush();
    // A queue without its name may have nobody left to read it.
    while (outlet.check() && !stopping.aborted) await outlet.moveOver(stopping);
  }

  close(): void {}

  /** Sends records from the `from`th on until the queue is full; returns where it came to. */
  #sendRecords({ slab, start, ends, count }: Block, from: number): number {
    const { outlet, priority, printer, metrics } = this.#options;
    const { queue } = outlet;
    const spinning = this.#spinning;
    const first = from === 0 ? start : ends[from - 1]! + 1;
    let at = first;
    let next = from;
    let tried = 0;
    while (next < count) {
      const end = ends[next]!;
      if (queue.sendFrom(slab, at, end - at, priority)) {
        printer?.add(slab.bytes, at, end);
        at = end + 1;
        next++;
        if (tried > 0) {
          spinning.won();
          tried = 0;
        }
      } else if (++tried > spinning.tries) {
        spinning.lost();
        break;
      }
    }
    metrics.messages.inc(next - from);
    metrics.records.inc(next - from);
    metrics.bytes.inc(at - first - (next - from));
    return next;
  }

  /**
   * As `#sendRecords`, many a message: the header is written over the end of what was sent
   * before, so that nothing is copied.
   */
  #sendBatches({ slab, start, ends, count }: Block, from: number): number {
    const { outlet, priority, printer, metrics } = this.#options;
    const { queue } = outlet;
    const { bytes } = slab;
    const payload = queue.msgsize - BATCH_HEADER;
    const spinning = this.#spinning;
    let next = from;
    let tried = 0;
    while (next < count) {
      const at = next === 0 ? start : ends[next - 1]! + 1;
      let last = next;
      while (last + 1 < count && ends[last + 1]! - at < payload) last++;
      const begin = at - BATCH_HEADER;
      const length = ends[last]! + 1 - begin;
      writeBatchHeader(bytes, begin, last - next + 1);
      while (!queue.sendFrom(slab, begin, length, priority)) {
        if (++tried <= spinning.tries) continue;
        spinning.lost();
        return next;
      }
      if (tried > 0) spinning.won();
      tried = 0;
      metrics.messages.inc();
      metrics.records.inc(last - next + 1);
      metrics.bytes.inc(length);
      for (let i = next; printer && i <= last; i++) {
        printer.add(bytes, i === next ? at : ends[i - 1]! + 1, ends[i]!);
      }
      next = last + 1;
    }
    return next;
  }

  /** Waits for room, for the queue to be removed, or for the stop. */
  async #room(): Promise<void> {
    const { outlet, stopping, metrics } = this.#options;
    const since = monotonic();
    await firstOf(
      (done) => outlet.queue.whenWritable(done),
      outlet.changed.rung,
      aborted(stopping),
    );
    metrics.wait.observe((monotonic() - since) / 1000);
  }
}

/** A record that no message of the queue can hold. */
export function tooLong(length: number, msgsize: number): ExpectedError {
  return new ExpectedError(
    `a record needs ${length} B, a message of the queue takes ${msgsize} B: send shorter records, or make the queue with a larger --msgsize (the kernel's limit is fs.mqueue.msgsize_max)`,
  );
}
