import { ExpectedError, monotonic } from '@sidekit/core';
import { aborted, Bell, firstOf, settled } from '../first-of.ts';
import type { QueueMetrics } from '../metrics.ts';
import { BATCH_HEADER, writeBatchHeader } from '../queue/frame.ts';
import type { QueueWriter } from '../queue/queue-writer.ts';
import { Spinning } from '../queue/spinning.ts';
import type { Block } from '../source/source.ts';
import type { Printer } from './printer.ts';
import type { Sender } from './sender.ts';

export interface SenderOptions {
  readonly writer: QueueWriter;
  readonly priority: number;
  readonly batch: boolean;
  readonly printer: Printer | undefined;
  readonly metrics: QueueMetrics;
  readonly stopping: AbortSignal;
}

/** Sends at most once: a message belongs to the queue as soon as mq_send(3) took it. */
export class AtMostOnce implements Sender {
  readonly #options: SenderOptions;
  readonly #spinning = new Spinning();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  async send(block: Block): Promise<void> {
    const { writer, batch, stopping, printer } = this.#options;
    let sent = 0;
    while (!stopping.aborted) {
      if (writer.removed) await writer.moveOver(stopping);
      const { msgsize } = writer.queue;
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
    const { writer, stopping } = this.#options;
    const bell = new Bell();
    let arrived = false;
    settled(source)(() => {
      arrived = true;
      bell.ring();
    });
    for (;;) {
      if (writer.removed) await writer.moveOver(stopping);
      if (arrived) return source;
      await firstOf(bell.rung, writer.changed.rung);
    }
  }

  async finish(exitMessage: string): Promise<void> {
    const { writer, priority, printer, stopping } = this.#options;
    if (exitMessage === '') return;
    while (!writer.queue.push(exitMessage, priority)) {
      await this.#room();
      if (stopping.aborted) return;
      if (writer.removed) await writer.moveOver(stopping);
    }
    const bytes = Buffer.from(exitMessage);
    printer?.add(bytes, 0, bytes.length);
    printer?.flush();
    // A queue without its name may have no reader left.
    while (writer.check() && !stopping.aborted) await writer.moveOver(stopping);
  }

  close(): void {}

  /** Sends records from number `from` on until the queue is full; returns the next number. */
  #sendRecords({ slab, start, ends, count }: Block, from: number): number {
    const { writer, priority, printer, metrics } = this.#options;
    const { queue } = writer;
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
    queue.flush?.();
    metrics.messages.inc(next - from);
    metrics.records.inc(next - from);
    metrics.bytes.inc(at - first - (next - from));
    return next;
  }

  /**
   * Sends as `#sendRecords` does, many records a message: the header overwrites the end of the
   * records sent before, so that nothing is copied.
   */
  #sendBatches({ slab, start, ends, count }: Block, from: number): number {
    const { writer, priority, printer, metrics } = this.#options;
    const { queue } = writer;
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
        queue.flush?.();
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
    queue.flush?.();
    return next;
  }

  /** Waits for room, for the queue to be removed, or for the stop. */
  async #room(): Promise<void> {
    const { writer, stopping, metrics } = this.#options;
    const since = monotonic();
    await firstOf(
      (done) => writer.queue.whenWritable(done),
      writer.changed.rung,
      aborted(stopping),
    );
    metrics.wait.observe((monotonic() - since) / 1000);
  }
}

/** Explains that no message of the queue can hold a record. */
export function tooLong(length: number, msgsize: number): ExpectedError {
  return new ExpectedError(
    `a record needs ${length} B, a message of the queue takes ${msgsize} B: send shorter records, or create the queue with a larger --msgsize (the kernel's limit is fs.mqueue.msgsize_max)`,
  );
}
