import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, type TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { largeMessages, type Namespace } from '../testing/namespace.ts';
import { numbered } from '../testing/programs.ts';
import { receiver } from '../testing/receiver.ts';

const KIB = 1024;
/** The memory that the manifests' limit of 128Mi leaves above an idle sidecar, in bytes. */
const ROOM = 64 * KIB * KIB;

/**
 * The long form tries every sink with every size. All queues of a user share 819,200 bytes, across
 * namespaces: 768 KiB leave no room for the tests that run at the same time.
 */
const LONG = process.env.SIDEKIT_LONG === '1';
const SIZES = LONG ? [20, 24, 256, 768] : [20, 24, 256];

let namespace: Namespace;

before(async () => {
  namespace = await largeMessages();
});
after(() => namespace[Symbol.asyncDispose]());

/** Reads the most memory that a process has had, in bytes. */
function peakMemory(program: TestProcess): number {
  const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * KIB;
}

/** Short records, and some as long as a message of the queue allows. */
function recordsFor(msgsize: number, header: number): string[] {
  const long = (letter: string) => letter.repeat(msgsize - header);
  return [...numbered(1, 200), long('a'), '', long('b'), long('c'), ...numbered(201, 400)];
}

describe('messages larger than the kernel allows by default', () => {
  for (const size of SIZES) {
    for (const [delivery, header, args, one] of [
      ['at-most-once', 0, [], 'stdout'],
      ['at-most-once', 9, ['--batch'], 'http'],
      ['at-least-once', 29, ['--batch'], 'file'],
    ] as const) {
      test(`${size} KiB, ${delivery}${args.length > 0 ? ' with --batch' : ''}: the sink gets all records`, async () => {
        const records = recordsFor(size * KIB, header);
        for (const sink of LONG ? ['stdout', 'file', 'http'] : [one]) {
          using directory = temporaryDirectory('mq-sizes');
          using target = await receiver(() => 200);
          const [input, output] = [join(directory.path, 'in'), join(directory.path, 'out')];
          writeFileSync(input, `${records.join('\n')}\n`);
          const common = ['--queue', `/${sink}${size}`, '--delivery', delivery];
          if (delivery === 'at-least-once') common.push('--journal', directory.path);
          const sinkArgs = { stdout: [], file: ['--file', output], http: ['--url', target.url] };
          await using consumer = namespace.mq('consumer', [
            ...[...common, '--sink', sink, ...sinkArgs[sink as keyof typeof sinkArgs]],
            ...['--exit-message', ''],
          ]);
          await consumer.event('starting');
          const idle = peakMemory(consumer);
          await using producer = namespace.mq('producer', [
            ...[...common, '--source', 'file', '--file', input, '--exit-message', '', ...args],
            ...['--maxmsg', '1', '--msgsize', `${size}KiB`],
          ]);
          const prefix = sink === 'stdout' ? 'Consumed: ' : '';
          const wanted = records.map((one) => `${prefix}${one}\n`).join('');
          const seen = () => {
            if (sink === 'stdout') return consumer.stdout;
            return sink === 'file' ? readFileSync(output, 'utf8') : target.bodies.join('');
          };
          await eventually(() => seen().length >= wanted.length, {
            what: `all records in ${sink}`,
          }).catch((error) => {
            const found = `${seen().length} of ${wanted.length} characters`;
            throw new Error(`${found}; ${producer.stderr}${consumer.stderr}`, { cause: error });
          });
          assert.ok(seen() === wanted, 'the records are those that were sent, in order');
          assert.equal((await producer.exited).code, 0, producer.stderr);
          const grown = peakMemory(consumer) - idle;
          assert.ok(grown < ROOM, `${Math.round(grown / KIB)} KiB more than idle`);
          consumer.kill();
          assert.equal((await consumer.exited).code, 0, consumer.stderr);
          await namespace.remove(`${sink}${size}`, `${sink}${size}.ack`);
        }
      });
    }
  }
});
