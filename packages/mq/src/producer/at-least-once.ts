import { ExpectedError, type Log, monotonic, throttle } from '@sidekit/core';
import { allocateSlab, type Slab } from '@sidekit/posix-mq';
import { aborted, after, Bell, firstOf, type Start, settled } from '../first-of.ts';
import { deliveredUpTo } from '../journal/delivered-offsets.ts';
import type { Journal } from '../journal/journal.ts';
import { Arena, arenaSize } from '../queue/arena.ts';
import type { ReadEnd } from '../queue/ends.ts';
import { DATA_HEADER, decodeAck, FrameType, writeDataHeader } from '../queue/frame.ts';
import { countLines, skipLines } from '../queue/lines.ts';
import type { QueueWriter } from '../queue/queue-writer.ts';
import { untilDone } from '../retry.ts';
import type { Block } from '../source/source.ts';
import { type SenderOptions, tooLong } from './at-most-once.ts';
import type { Sender } from './sender.ts';

const LINE_FEED = 0x0a;

export interface AtLeastOnceOptions extends SenderOptions {
  /** The queue in which the consumer acknowledges. */
  readonly acks: QueueWriter<ReadEnd>;
  readonly journal: Journal;
  /** The path of the file of a consumer that shares the journal's volume. */
  readonly delivered: string;
  /** In milliseconds. */
  readonly redeliverAfter: number;
  readonly log: Log;
}

/** One message in flight, at its place in the arena. */
interface Slot {
  readonly offset: number;
  readonly length: number;
  readonly first: number;
  readonly last: number;
  sent: boolean;
}

/**
 * Sends at least once: go-back-N over the queue. Every record is in the journal first; at most as
 * many messages as the queue holds are in flight; what is not acknowledged in time, or is asked
 * for, is sent again in order from the first missing record.
 */
export class AtLeastOnce implements Sender {
  readonly #options: AtLeastOnceOptions;
  readonly #arena: Arena;
  /** Messages in flight, by sequence; those from `#cursor` on are still to be sent. */
  readonly #window: Slot[] = [];
  #cursor = 0;
  #deadline = 0;
  #resumed = false;
  readonly #ack: Slab;
  readonly #warnOfOther: () => void;

  private constructor(options: AtLeastOnceOptions, arena: Arena, ack: Slab) {
    this.#options = options;
    this.#arena = arena;
    this.#ack = ack;
    this.#warnOfOther = throttle(60_000, (suppressed) =>
      options.log.warn(
        'acknowledgements for another journal arrive; give each producer its own queue',
        {
          event: 'other_acknowledgements',
          suppressed,
        },
      ),
    );
  }

  static async create(options: AtLeastOnceOptions): Promise<AtLeastOnce> {
    const { maxmsgs, msgsize } = options.writer.queue;
    const arena = new Arena(await allocateSlab(arenaSize(maxmsgs, msgsize)));
    return new AtLeastOnce(options, arena, await allocateSlab(options.acks.queue.msgsize));
  }

  async send(block: Block): Promise<void> {
    const { writer, journal, printer, stopping, log } = this.#options;
    await this.#resume();
    const { msgsize } = writer.queue;
    const needed = block.longest + 1 + DATA_HEADER;
    if (needed > msgsize) throw tooLong(needed, msgsize);
    const lines = block.slab.bytes.subarray(block.start, block.end);
    const append = () => journal.append(lines, block.count, block.position);
    const sequence = await untilDone(append, { what: 'the journal', stopping, log });
    if (sequence === undefined) return;
    block.accepted?.();
    if (printer) {
      for (let i = block.start; i < block.end; ) {
        const feed = block.slab.bytes.indexOf(LINE_FEED, i);
        printer.add(block.slab.bytes, i, feed);
        i = feed + 1;
      }
      printer.flush();
    }
    await this.#transmit(lines, sequence, FrameType.data);
  }

  async idle<T>(source: Promise<T>): Promise<T> {
    const bell = new Bell();
    let arrived = false;
    settled(source)(() => {
      arrived = true;
      bell.ring();
    });
    await this.#resume();
    const arrival: Start = (done) => {
      if (!arrived) return bell.rung(done);
      done();
      return () => {};
    };
    while (!arrived) await this.#turn(arrival);
    return source;
  }

  async finish(exitMessage: string): Promise<void> {
    const { journal, printer, stopping, log } = this.#options;
    await this.#resume();
    if (exitMessage !== '') {
      const lines = Buffer.from(`${exitMessage}\n`);
      const append = () => journal.append(lines, 1, journal.position, true);
      const sequence = await untilDone(append, { what: 'the journal', stopping, log });
      if (sequence === undefined) return;
      printer?.add(lines, 0, lines.length - 1);
      printer?.flush();
      await this.#transmit(lines, sequence, FrameType.end);
    }
    while (this.#window.length > 0 && !stopping.aborted) await this.#turn();
  }

  close(): void {}

  /** Sends first what an earlier run left in the journal. */
  async #resume(): Promise<void> {
    if (this.#resumed) return;
    this.#resumed = true;
    const { journal, log } = this.#options;
    this.#acknowledged(deliveredUpTo(this.#options.delivered, journal.stream));
    if (journal.last > journal.acknowledged) {
      log.info('resuming from the journal', {
        event: 'journal_resumed',
        from: journal.acknowledged + 1,
        to: journal.last,
      });
    }
    for (const entry of journal.pending()) {
      const { lines, sequence, end } = entry;
      const known = Math.max(0, journal.acknowledged + 1 - sequence);
      if (known >= entry.count) continue;
      const rest = lines.subarray(skipLines(lines, known));
      await this.#transmit(rest, sequence + known, end ? FrameType.end : FrameType.data);
      if (this.#options.stopping.aborted) return;
    }
  }

  /** Packs lines into messages and these into the window, as places become free. */
  async #transmit(
    lines: Buffer,
    sequence: number,
    type: typeof FrameType.data | typeof FrameType.end,
  ): Promise<void> {
    const { writer, journal, batch, stopping } = this.#options;
    const arena = this.#arena;
    const { bytes } = arena.slab;
    let next = sequence;
    for (let at = 0; at < lines.length; ) {
      const payload = Math.min(writer.queue.msgsize, arena.slab.length - 1) - DATA_HEADER;
      const limit = Math.min(lines.length, at + payload);
      const end = batch
        ? lines.lastIndexOf(LINE_FEED, limit - 1) + 1
        : lines.indexOf(LINE_FEED, at) + 1;
      if (end <= at || end - at > payload) throw tooLong(end - at + DATA_HEADER, payload);
      const length = DATA_HEADER + end - at;
      let offset = this.#allocate(length);
      while (offset === -1) {
        if (stopping.aborted) return;
        await this.#turn();
        offset = this.#allocate(length);
      }
      const count = batch ? countLines(lines, at, end) : 1;
      const { stream, acknowledged } = journal;
      const base = acknowledged + 1;
      writeDataHeader(bytes, offset, { type, count, stream, sequence: next, base });
      lines.copy(bytes, offset + DATA_HEADER, at, end);
      if (this.#window.length === 0) this.#postpone();
      this.#window.push({ offset, length, first: next, last: next + count - 1, sent: false });
      next += count;
      at = end;
    }
    this.#step();
  }

  /** Finds room for a message in flight. @returns its offset, or −1 if there is none. */
  #allocate(length: number): number {
    if (this.#window.length >= this.#options.writer.queue.maxmsgs) return -1;
    return this.#arena.allocate(length);
  }

  /** Waits until there is work, and does it. */
  async #turn(...others: readonly Start[]): Promise<void> {
    const { writer, acks, stopping, metrics } = this.#options;
    if (writer.removed) {
      (await writer.replace()).close();
      this.#sendAgain();
    }
    if (acks.removed) (await acks.replace()).close();
    if (this.#step()) return;
    const starts: Start[] = [
      (done) => acks.queue.whenReadable(done),
      writer.changed.rung,
      acks.changed.rung,
      aborted(stopping),
      ...others,
    ];
    if (this.#cursor > 0) starts.push(after(Math.max(1, this.#deadline - monotonic())));
    if (this.#cursor < this.#window.length) {
      starts.push((done) => writer.queue.whenWritable(done));
    }
    const since = monotonic();
    await firstOf(...starts);
    metrics.wait.observe((monotonic() - since) / 1000);
    this.#step();
  }

  /** Takes acknowledgements and sends what there is room for. @returns whether anything changed. */
  #step(): boolean {
    const before = this.#window.length;
    const sent = this.#cursor;
    this.#takeAcks();
    if (monotonic() >= this.#deadline && this.#cursor > 0) this.#overdue();
    this.#pump();
    return this.#window.length !== before || this.#cursor !== sent;
  }

  #pump() {
    const { writer, journal, priority, metrics } = this.#options;
    const { queue } = writer;
    while (this.#cursor < this.#window.length) {
      const slot = this.#window[this.#cursor]!;
      this.#arena.slab.bytes.writeUInt32BE(slot.first - journal.acknowledged - 1, slot.offset + 24);
      if (!queue.sendFrom(this.#arena.slab, slot.offset, slot.length, priority)) break;
      this.#cursor++;
      metrics.messages.inc();
      metrics.bytes.inc(slot.length);
      if (slot.sent) metrics.redeliveries.inc();
      else metrics.records.inc(slot.last - slot.first + 1);
      slot.sent = true;
    }
    queue.flush?.();
  }

  #takeAcks() {
    const { acks, journal } = this.#options;
    let highest = 0;
    let resume = false;
    for (;;) {
      const length = acks.queue.receiveInto(this.#ack, 0);
      if (length === -1) break;
      const ack = decodeAck(this.#ack.bytes.subarray(0, length));
      if (!ack) continue;
      if (ack.stream !== journal.stream) {
        this.#warnOfOther();
        continue;
      }
      highest = Math.max(highest, ack.sequence);
      resume ||= ack.resume;
    }
    if (highest > journal.last) {
      journal.distrust();
      throw new ExpectedError(
        `the consumer has acknowledged record ${highest}, the journal ends at ${journal.last}: it was cut short; the next start continues as a new stream with all that is pending`,
      );
    }
    this.#acknowledged(highest);
    if (resume) this.#sendAgain();
  }

  #acknowledged(sequence: number) {
    const { journal } = this.#options;
    if (sequence <= journal.acknowledged) return;
    journal.acknowledge(sequence);
    while (this.#window[0] !== undefined && this.#window[0].last <= sequence) {
      this.#window.shift();
      this.#cursor = Math.max(0, this.#cursor - 1);
    }
    this.#arena.freeBefore(this.#window[0]?.offset);
    this.#postpone();
  }

  /** Decides, without an acknowledgement for too long, whether the messages are gone. */
  #overdue() {
    const { writer, journal, delivered } = this.#options;
    this.#postpone();
    this.#acknowledged(deliveredUpTo(delivered, journal.stream));
    if (writer.queue.curmsgs < this.#cursor) this.#sendAgain();
  }

  #sendAgain() {
    this.#cursor = 0;
    this.#postpone();
  }

  #postpone() {
    this.#deadline = monotonic() + this.#options.redeliverAfter;
  }
}
