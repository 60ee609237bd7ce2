import { join } from 'node:path';
import { type Context, defineSidecar } from '@sidekit/core';
import { fileFailure } from './failures.ts';
import { BATCH_HEADER, DATA_HEADER } from './frame.ts';
import { queueMetrics } from './metrics.ts';
import { Outbox } from './outbox.ts';
import { Outlet } from './outlet.ts';
import { PlainSender } from './plain-sender.ts';
import { Printer } from './printer.ts';
import { producerOptions } from './producer-options.ts';
import { ReliableSender } from './reliable-sender.ts';
import type { Sender } from './sender.ts';
import { fileSource } from './source/file.ts';
import { httpSource } from './source/http.ts';
import { randomSource } from './source/random.ts';
import type { Source } from './source/source.ts';
import { streamSource } from './source/stream.ts';

type Producer = Context<(typeof producerOptions)['options']>;

/** `mq producer`: source → (journal →) queue. */
export const producer = defineSidecar({
  table: producerOptions,
  run: async (context) => {
    const { options, log, stopping } = context;
    const outbox = openOutbox(context);
    if (outbox?.complete && (options.source === 'random' || options.source === 'file')) {
      log.warn('the journal is complete, nothing is left to do; remove it to begin anew', {
        journal: options.journal,
      });
      return;
    }
    const ready = context.health.condition('queue', 'startup', 'ready');
    const outlet = await openQueue(context, options.queue, options.msgsize, ready);
    context.onStop('queue', () => outlet.close());
    const source = await openSource(context, outbox?.position ?? 0, () => outlet.queue.msgsize);
    context.onStop('source', () => source.close());
    const sender = await openSender(context, outlet, outbox);
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
    // Where a run before this one had come to the exit message, it is in the journal.
    const again = outbox?.ended && records === 0;
    await sender.finish(source.finite && !again ? options.exitMessage : '');
    log.info('all sent', { records });
  },
});

function openOutbox({ options, onStop }: Producer): Outbox | undefined {
  if (options.delivery === 'at-most-once' || options.journal === undefined) return undefined;
  const directory = join(options.journal, `${options.queue.slice(1)}.outbox`);
  try {
    const outbox = new Outbox(directory);
    onStop('journal', () => outbox.close());
    return outbox;
  } catch (error) {
    throw fileFailure('--journal cannot be used', directory, error);
  }
}

function openQueue(
  { options, log }: Producer,
  name: string,
  msgsize: number,
  ready: Parameters<typeof Outlet.open>[0]['ready'],
): Promise<Outlet> {
  const { mode, maxmsg: maxmsgs, checkInterval } = options;
  return Outlet.open({ name, mode, maxmsgs, msgsize, checkInterval, log, ready });
}

function openSource(
  { options, log }: Producer,
  position: number,
  msgsize: () => number,
): Promise<Source> {
  switch (options.source) {
    case 'random':
      return randomSource({ count: options.count, interval: options.interval, position });
    case 'stdin':
      return streamSource(process.stdin, 'stdin');
    case 'file':
      return fileSource(options.file!, { position });
    case 'http': {
      const header =
        options.delivery === 'at-least-once'
          ? DATA_HEADER + 1
          : options.batch
            ? BATCH_HEADER + 1
            : 0;
      const { listen, maxBody } = options;
      return httpSource({ listen, maxBody, maxRecord: () => msgsize() - header, log });
    }
  }
}

async function openSender(
  context: Producer,
  outlet: Outlet,
  outbox: Outbox | undefined,
): Promise<Sender> {
  const { options, metrics: registry, stopping, log, health } = context;
  const metrics = queueMetrics(registry, () => outlet.queue.curmsgs);
  const print = options.print ?? options.source === 'random';
  const common = {
    outlet,
    metrics,
    stopping,
    priority: options.priority,
    batch: options.batch,
    printer: print ? new Printer() : undefined,
  };
  if (!outbox) return new PlainSender(common);
  const ready = health.condition('acknowledgements', 'startup', 'ready');
  const acks = await openQueue(context, `${options.queue}.ack`, 64, ready);
  context.onStop('acknowledgements', () => acks.close());
  const inbox = join(options.journal!, `${options.queue.slice(1)}.inbox`);
  const { redeliverAfter } = options;
  return ReliableSender.create({
    ...common,
    acks,
    outbox,
    inbox,
    redeliverAfter,
    log,
  });
}
