import type { Condition, Log, OptionValues } from '@sidekit/core';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import type { adapterTable } from '../options/table.ts';
import type { Batch } from '../output/batch.ts';
import { Delivery, type DeliveryOptions } from '../output/delivery.ts';
import type { Output } from '../output/output.ts';
import type { pipelinesFor } from '../pipeline/pipeline-for.ts';
import type { LineConsumer } from '../tail/line-consumer.ts';
import { LineSplitter } from '../tail/line-splitter.ts';

export interface LaneOptions {
  readonly options: OptionValues<(typeof adapterTable)['options']>;
  readonly metrics: AdapterMetrics;
  readonly log: Log;
  readonly condition: Condition;
  readonly park: DeliveryOptions['park'];
  readonly now: () => number;
  readonly pipelineFor: ReturnType<typeof pipelinesFor>;
  readonly onDelivered: (batch: Batch) => void;
  /** Called after a delivery if reading paused for lack of room. */
  readonly onRoom: () => void;
}

/** The way of one output: what the tailer reads for it, and its delivery. */
export interface Lane {
  readonly consumer: LineConsumer;
  readonly delivery: Delivery;
}

export function laneFor(
  output: Output,
  { options, metrics, log, condition, park, now, pipelineFor, ...events }: LaneOptions,
): Lane {
  condition.pass();
  const delivery = new Delivery(output, {
    retry: { base: options.retryBase, cap: options.retryCap },
    metrics,
    log,
    condition,
    park,
    now,
    onDelivered: (batch) => {
      events.onDelivered(batch);
      if (waiting) events.onRoom();
    },
    onIdle: () => pipeline.flush(),
  });
  const pipeline = pipelineFor(output.encoding, delivery);
  let waiting = false;
  const splitter = new LineSplitter(
    {
      maxLine: options.maxLine,
      longLines: options.longLines,
      onLongLine: () => metrics.longLines.inc(),
    },
    pipeline,
  );
  const consumer: LineConsumer = {
    splitter,
    hasRoom: () => {
      waiting = !pipeline.hasRoom();
      return !waiting;
    },
    partial: (generation, text, offset) => pipeline.partial(generation, text, offset),
    mark: (generation, read) => pipeline.mark(generation, read),
    handOver: (generation, read, next) => pipeline.handOver(generation, read, next),
    settle: (generation, read, idle, final) => pipeline.settle(generation, read, idle, final),
    flush: () => pipeline.flush(),
    close: (generation) => pipeline.close(generation),
  };
  return { delivery, consumer };
}
