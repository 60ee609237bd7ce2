/**
 * For bench/mq.ts: how long a record takes from `push` to its receipt in another process, at 1,000
 * records/s. Without an argument the producer, which starts the consumer.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RingConsumer, RingProducer, unlinkSegment } from '@sidekit/shared-memory';

const RECORDS = 10_000;
/** Left out of the result: code is compiled meanwhile. */
const FIRST = 1000;

/** Both processes read one monotonic clock, in nanoseconds. */
const now = () => process.hrtime.bigint();

async function produce(): Promise<void> {
  const name = `/sidekit-latency-${process.pid}`;
  using ring = await RingProducer.open({ name, create: true });
  const consumer = spawn(process.execPath, [fileURLToPath(import.meta.url), name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  consumer.stdout.pipe(process.stdout, { end: false });
  await new Promise((resolve) => consumer.stdout.once('data', resolve));
  const start = performance.now();
  const stamp = new BigInt64Array(1);
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (const due = performance.now() - start; sent < due && sent < RECORDS; sent++) {
        stamp[0] = now();
        ring.push(new Uint8Array(stamp.buffer));
      }
      if (sent < RECORDS) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await new Promise((resolve) => consumer.once('close', resolve));
  unlinkSegment(name);
}

async function consume(name: string): Promise<void> {
  using ring = await RingConsumer.open({ name });
  console.log(`from push to receipt, ${RECORDS - FIRST} records at 1,000/s:`);
  const delays: number[] = [];
  while (delays.length < RECORDS && (await ring.readable())) {
    for (let record = ring.shift(); record !== false; record = ring.shift()) {
      delays.push(Number(now() - record.readBigInt64LE()) / 1e6);
    }
  }
  const sorted = delays.slice(FIRST).toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(3);
  console.log(`  median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
}

const [name] = process.argv.slice(2);
await (name === undefined ? produce() : consume(name));
