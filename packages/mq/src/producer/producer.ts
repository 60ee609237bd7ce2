import { join } from 'node:path';
import { type Condition, type Context, defineSidecar, ExpectedError } from '@sidekit/core';
import { fileFailure } from '../failures.ts';
import { deliveredPath, deliveredUpTo } from '../journal/delivered-offsets.ts';
import { Journal } from '../journal/journal.ts';
import { type ProducerMetrics, producerMetrics } from '../metrics.ts';
import { fileNameOf, openToRead, openToWrite } from '../queue/ends.ts';
import { BATCH_HEADER, DATA_HEADER } from '../queue/frame.ts';
import { QueueWriter } from '../queue/queue-writer.ts';
import { fileSource } from '../source/file.ts';
import { httpSource } from '../source/http.ts';
import { randomSource } from '../source/random.ts';
import type { Source } from '../source/source.ts';
import { streamSource } from '../source/stream.ts';
import { AtLeastOnce } from './at-least-once.ts';
import { AtMostOnce } from './at-most-once.ts';
import { table } from './options.ts';
import { Printer } from './printer.ts';
import type { Sender } from './sender.ts';

/** The capacity of a ring for acknowledgements, in bytes: the smallest. */
const ACK_RING = 64 * 1024;

type Producer = Context<(typeof table)['options']>;

/** `mq producer`: source → (journal →) queue. */
export const producer = defineSidecar({
  table,
  run: async (context) => {
    const { options, log, stopping } = context;
    const ready = context.health.condition('queue', 'startup', 'ready');
    const journal = await openJournal(context);
    if (journal?.complete && (options.source === 'random' || options.source === 'file')) {
      log.warn('the journal is complete, nothing is left to do; remove it to start over', {
        event: 'journal_complete',
        journal: options.journal,
      });
      return;
    }
    const dimensions = { ...options, maxmsgs: options.maxmsg };
    let opened: QueueWriter | undefined;
    const metrics = producerMetrics(context.metrics, () => opened?.queue.curmsgs);
    const writer = await QueueWriter.open({
      ...settings(context, metrics, options.queue, ready),
      open: () => openToWrite(options.queue, dimensions),
    });
    opened = writer;
    context.onStop('queue', () => writer.close());
    const source = await openSource(context, journal?.position ?? 0, () => writer.queue.msgsize);
    context.onStop('source', () => source.close());
    const sender = await openSender(context, metrics, writer, journal);
    context.onStop('sender', () => sender.close());

    let records = 0;
    for (;;) {
      const next = source.read(stopping);
      const block = next instanceof Promise ? await sender.idle(next) : next;
      if (!block) break;
      records += block.count;
      await sender.send(block);
    }
    if (stopping.aborted) return;
    // If an earlier run reached the exit message, it is in the journal.
    const again = journal?.ended && records === 0;
    await sender.finish(source.finite && !again ? options.exitMessage : '');
    log.info('all records sent', { event: 'all_sent', records });
  },
});

async function openJournal(context: Producer): Promise<Journal | undefined> {
  const { options, log, health, onStop } = context;
  if (options.delivery === 'at-most-once' || options.journal === undefined) return undefined;
  const directory = join(options.journal, `${fileNameOf(options.queue)}.outbox`);
  try {
    const delivered = (stream: string) => deliveredUpTo(deliveredPath(options), stream);
    const journal = await Journal.open({ directory, delivered, sync: options.sync });
    onStop('journal', () => journal.close());
    if (journal.damage !== undefined) {
      const { damage: reason, stream } = journal;
      log.warn('the journal lost records before this start', {
        event: 'journal_damaged',
        journal: directory,
        reason,
        stream,
        pending: journal.last - journal.acknowledged,
      });
      health.condition('journal').warn(`the journal lost records before this start: ${reason}`);
    }
    return journal;
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    throw fileFailure('--journal cannot be used', directory, error);
  }
}

/** Returns what both queues of a producer have in common, besides their ends. */
function settings(
  { options, log, stopping }: Producer,
  { failures }: ProducerMetrics,
  name: string,
  ready: Condition,
) {
  return { name, checkInterval: options.checkInterval, log, ready, failures, stopping };
}

function openSource(
  { options, log }: Producer,
  position: number,
  msgsize: () => number,
): Promise<Source> {
  const header =
    options.delivery === 'at-least-once' ? DATA_HEADER + 1 : options.batch ? BATCH_HEADER + 1 : 0;
  const maxRecord = () => msgsize() - header;
  const longest = maxRecord();
  switch (options.source) {
    case 'random':
      return randomSource({ count: options.count, interval: options.interval, position, longest });
    case 'stdin':
      return streamSource(process.stdin, 'stdin', longest);
    case 'file':
      return fileSource(options.file!, { position, longest });
    case 'http': {
      const { listen, maxBody } = options;
      return httpSource({ listen, maxBody, maxRecord, log });
    }
  }
}

async function openSender(
  context: Producer,
  metrics: ProducerMetrics,
  writer: QueueWriter,
  journal: Journal | undefined,
): Promise<Sender> {
  const { options, stopping, log, health } = context;
  const print = options.print ?? options.source === 'random';
  const common = {
    writer,
    metrics,
    stopping,
    priority: options.priority,
    batch: options.batch,
    printer: print ? new Printer() : undefined,
  };
  if (!journal) return new AtMostOnce(common);
  const ready = health.condition('acknowledgements', 'startup', 'ready');
  const name = `${options.queue}.ack`;
  const dimensions = { ...options, maxmsgs: options.maxmsg, msgsize: 64, ringSize: ACK_RING };
  const acks = await QueueWriter.open({
    ...settings(context, metrics, name, ready),
    open: () => openToRead(name, dimensions),
  });
  context.onStop('acknowledgements', () => acks.close());
  const delivered = deliveredPath(options);
  const { redeliverAfter } = options;
  return AtLeastOnce.create({
    ...common,
    acks,
    journal,
    delivered,
    redeliverAfter,
    log,
  });
}
