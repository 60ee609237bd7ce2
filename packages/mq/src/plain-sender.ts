import { ExpectedError } from '@sidekit/core';
import { aborted, Bell, firstOf, settled } from './first-of.ts';
import { BATCH_HEADER, writeBatchHeader } from './frame.ts';
import type { QueueMetrics } from './metrics.ts';
import type { Outlet } from './outlet.ts';
import type { Printer } from './printer.ts';
import type { Sender } from './sender.ts';
import { measureLines } from './source/lines.ts';
import type { Block } from './source/source.ts';

const LINE_FEED = 0x0a;
/** Tries on a full queue before sleeping: with a consumer on another core, room comes sooner. */
const SPINS = 10;

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

  constructor(options: PlainSenderOptions) {
    this.#options = options;
  }

  async send(block: Block): Promise<void> {
    const { outlet, batch, stopping, metrics, printer } = this.#options;
    const { end } = block;
    let position = block.start;
    while (!stopping.aborted) {
      if (outlet.removed) await outlet.moveOver(stopping);
      const before = position;
      const { msgsize } = outlet.queue;
      if (!batch && block.longest > msgsize) throw tooLong(block.longest, msgsize);
      if (batch && block.longest + 1 > msgsize - BATCH_HEADER) {
        throw tooLong(block.longest + 1 + BATCH_HEADER, msgsize);
      }
      position = batch
        ? this.#sendBatches(block, position)
        : this.#sendRecords(block, position, end);
      metrics.bytes.inc(position - before);
      printer?.flush();
      if (position === end) break;
      await this.#room();
    }
    if (position === end) block.accepted?.();
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

  /** Sends until the queue is full; returns where it came to. */
  #sendRecords({ slab }: Block, position: number, end: number): number {
    const { outlet, priority, printer, metrics } = this.#options;
    const { queue } = outlet;
    const { bytes } = slab;
    let sent = 0;
    let spins = 0;
    let at = position;
    while (at < end) {
      const feed = bytes.indexOf(LINE_FEED, at);
      if (queue.sendFrom(slab, at, feed - at, priority)) {
        printer?.add(bytes, at, feed);
        at = feed + 1;
        sent++;
        spins = 0;
      } else if (++spins > SPINS) break;
    }
    metrics.messages.inc(sent);
    metrics.records.inc(sent);
    return at;
  }

  /**
   * As `#sendRecords`, many a message: the header is written over the end of what was sent
   * before, so that nothing is copied.
   */
  #sendBatches({ slab, end }: Block, position: number): number {
    const { outlet, priority, printer, metrics } = this.#options;
    const { queue } = outlet;
    const { bytes } = slab;
    const payload = queue.msgsize - BATCH_HEADER;
    let spins = 0;
    let at = position;
    while (at < end) {
      const limit = Math.min(end, at + payload);
      const next = limit === end ? end : bytes.lastIndexOf(LINE_FEED, limit - 1) + 1;
      const { count } = measureLines(bytes, at, next);
      const start = at - BATCH_HEADER;
      writeBatchHeader(bytes, start, count);
      while (!queue.sendFrom(slab, start, next - start, priority)) {
        if (++spins > SPINS) return at;
      }
      spins = 0;
      metrics.messages.inc();
      metrics.records.inc(count);
      if (printer) {
        for (let i = at; i < next; ) {
          const feed = bytes.indexOf(LINE_FEED, i);
          printer.add(bytes, i, feed);
          i = feed + 1;
        }
      }
      at = next;
    }
    return at;
  }

  /** Waits for room, for the queue to be removed, or for the stop. */
  async #room(): Promise<void> {
    const { outlet, stopping, metrics } = this.#options;
    const since = performance.now();
    await firstOf(
      (done) => outlet.queue.whenWritable(done),
      outlet.changed.rung,
      aborted(stopping),
    );
    metrics.wait.observe((performance.now() - since) / 1000);
  }
}

/** A record that no message of the queue can hold. */
export function tooLong(length: number, msgsize: number): ExpectedError {
  return new ExpectedError(
    `a record needs ${length} B, a message of the queue takes ${msgsize} B: send shorter records, or make the queue with a larger --msgsize (the kernel's limit is fs.mqueue.msgsize_max)`,
  );
}
