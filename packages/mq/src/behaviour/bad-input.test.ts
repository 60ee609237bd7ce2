import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PosixMQ, queueLimits } from '@sidekit/posix-mq';
import {
  eventually,
  freePort,
  programFile,
  TestProcess,
  temporaryDirectory,
} from '@sidekit/test-kit';
import { depth, mq, testQueue } from '../testing/programs.ts';

const MAIN = programFile(new URL('../main.ts', import.meta.url));

/** The sentence of the last log record: what ended the program. */
async function ended(program: TestProcess): Promise<{ code: number | null; sentence: unknown }> {
  const { code } = await program.exited;
  assert.doesNotMatch(program.stderr, /^\s+at /m);
  const sentence = program.log.findLast(({ level }) => level === 'error')?.msg;
  return { code, sentence: sentence ?? program.stderr };
}

describe('bad input is one clear sentence', { concurrency: 2 }, () => {
  test('every wrong option is named at once, exit code 64, before anything is created', async () => {
    await using program = mq('producer', [
      ...['--queue', 'nope', '--source', 'file', '--priority', '32', '--mode', '0999'],
      ...['--delivery', 'at-least-onc', '--quee', '/x'],
    ]);
    const { code, sentence } = await ended(program);
    assert.equal(code, 64);
    assert.equal(
      sentence,
      [
        'mq producer: the configuration is wrong:',
        '  --quee is not a known flag: did you mean --queue?',
        '  --queue "nope" must start with a slash: write /nope',
        '  --delivery "at-least-onc" must be one of at-most-once, at-least-once',
        '  --priority "32" must be 0–31: write 31 or less',
        '  --mode "0999" must be an octal mode: write it in quotes, such as 0660',
        'See --help.',
        '',
      ].join('\n'),
    );
  });

  test('options that need, or exclude, each other say so', async () => {
    await using producer = mq('producer', ['--source', 'file', '--delivery', 'at-least-once']);
    assert.deepEqual(await ended(producer), {
      code: 64,
      sentence: [
        'mq producer: the configuration is wrong:',
        '  --journal is missing with --delivery at-least-once: give a directory on a volume that outlives the container',
        '  --file is missing with --source file: give the file',
        'See --help.',
        '',
      ].join('\n'),
    });
    await using consumer = mq('consumer', ['--sink', 'http', '--file', '/x', '--journal', '/j']);
    const { code, sentence } = await ended(consumer);
    assert.equal(code, 64);
    assert.match(String(sentence), /--journal "\/j" is not used with --delivery at-most-once/);
    assert.match(String(sentence), /--file "\/x" is not used with --sink http/);
    assert.match(String(sentence), /--url is missing with --sink http/);
  });

  test('each side tolerates the variables of the other', async () => {
    await using queue = testQueue();
    const env = { MQ_QUEUE: queue.name, MQ_SINK: 'stdout', MQ_COUNT: '1', MQ_SERVICE_HOST: 'x' };
    await using producer = mq('producer', [], { env });
    await using consumer = mq('consumer', [], { env });
    assert.equal((await producer.exited).code, 0, producer.stderr);
    assert.equal((await consumer.exited).code, 0, consumer.stderr);
  });

  test('a queue of more messages than the kernel allows: EINVAL, exit code 64', async () => {
    await using queue = testQueue();
    const { maxmsgs = 0 } = queueLimits();
    await using program = mq('producer', ['--queue', queue.name, '--maxmsg', `${maxmsgs + 1}`]);
    assert.deepEqual(await ended(program), {
      code: 64,
      sentence: `queue ${queue.name} cannot hold ${maxmsgs + 1} messages, the limit here is ${maxmsgs} (fs.mqueue.msg_max) (mq_open: EINVAL): use ${maxmsgs} or fewer`,
    });
    assert.equal(await depth(queue.name), undefined);
  });

  for (const [delivery, needed] of [
    ['at-most-once', 1025],
    ['at-least-once', 1025 + 1 + 28],
  ] as const) {
    test(`a record longer than a message, ${delivery}: exit code 70, and nothing of it is sent`, async () => {
      await using queue = testQueue();
      using directory = temporaryDirectory('mq');
      const file = join(directory.path, 'input');
      writeFileSync(file, `${'x'.repeat(1025)}\n`);
      await using program = mq('producer', [
        ...['--queue', queue.name, '--source', 'file', '--file', file, '--delivery', delivery],
        ...(delivery === 'at-least-once' ? ['--journal', directory.path] : []),
      ]);
      assert.deepEqual(await ended(program), {
        code: 70,
        sentence: `a record needs ${needed} B, a message of the queue takes 1024 B: send shorter records, or create the queue with a larger --msgsize (the kernel's limit is fs.mqueue.msgsize_max)`,
      });
      assert.equal(await depth(queue.name), 0);
    });
  }

  test('no room in the byte budget of the UID: EMFILE is explained once, until there is room', async () => {
    await using queue = testQueue();
    const port = await freePort();
    // The limit of this process alone is lowered: the budget of others is left as it is.
    await using program = new TestProcess('prlimit', [
      '--msgqueue=100:819200',
      ...[process.execPath, MAIN, 'producer', '--admin', `127.0.0.1:${port}`],
      ...['--queue', queue.name, '--count', '3'],
    ]);
    const sentence = `queue ${queue.name} of 10 × 1024 B needs 11200 B, more than is left of the 100 B that all queues of UID 0 share on this node (RLIMIT_MSGQUEUE) (mq_open: EMFILE): remove unused queues, make them smaller, or give the Pod its own runAsUser`;
    const { error } = await program.event('queue_unavailable');
    assert.equal(error, sentence);
    const page = async (path: string) =>
      await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    const { status, reasons } = JSON.parse(await page('/readyz'));
    assert.equal(status, 'unavailable');
    assert.deepEqual(reasons, [{ name: 'queue', reason: sentence }]);
    await eventually(
      async () => Number(/^mq_queue_failures_total (\d+)$/m.exec(await page('/metrics'))?.[1]) > 2,
      { what: 'three attempts' },
    );
    assert.equal(program.log.filter(({ event }) => event === 'queue_unavailable').length, 1);
    assert.equal(await depth(queue.name), undefined);
    await using raise = new TestProcess('prlimit', [
      '--msgqueue=819200:819200',
      '--pid',
      `${program.child.pid}`,
    ]);
    assert.equal((await raise.exited).code, 0, raise.stderr);
    await program.event('queue_created');
    assert.equal((await program.exited).code, 0, program.stderr);
    assert.equal(await depth(queue.name), 4);
  });

  test('a stop while there is no room for the queue exits 0 at once', async () => {
    await using queue = testQueue();
    await using program = new TestProcess('prlimit', [
      '--msgqueue=100:100',
      ...[process.execPath, MAIN, 'producer', '--admin', '127.0.0.1:0', '--queue', queue.name],
    ]);
    await program.event('queue_unavailable');
    program.kill('SIGTERM');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
  });

  for (const command of ['producer', 'consumer'] as const) {
    test(`a queue that belongs to another user: EACCES at the ${command}, exit code 70`, async () => {
      await using queue = testQueue();
      (await PosixMQ.open({ name: queue.name, create: true, mode: 0o600 })).close();
      const user = { uid: 54_322, gid: 54_322 };
      await using program = mq(command, ['--queue', queue.name], user);
      assert.deepEqual(await ended(program), {
        code: 70,
        sentence: `queue ${queue.name} may not be opened by UID 54322, it belongs to UID 0 with mode 0600 (mq_open: EACCES): create it with a wider mode, or run both sides with one runAsUser or group`,
      });
    });
  }

  test('a kernel without queues: ENOSYS, exit code 70', async () => {
    // strace answers in the place of such a kernel.
    await using program = new TestProcess('strace', [
      ...['-f', '-o', '/dev/null', '-e', 'trace=mq_open', '-e', 'inject=mq_open:error=ENOSYS'],
      ...[process.execPath, MAIN, 'producer', '--admin', ':0', '--queue', '/none'],
    ]);
    assert.deepEqual(await ended(program), {
      code: 70,
      sentence:
        'queue /none cannot be opened, this kernel has no POSIX message queues (mq_open: ENOSYS): run it on a Linux kernel with CONFIG_POSIX_MQUEUE; gVisor has none (gvisor#136)',
    });
  });

  test('without the queue file system everything works, by polling', async () => {
    await using queue = testQueue();
    const run = (command: string) =>
      new TestProcess('unshare', [
        ...['--mount', 'sh', '-c', 'umount /dev/mqueue && exec "$@"', 'sh'],
        ...[process.execPath, MAIN, command, '--admin', ':0', '--queue', queue.name],
      ]);
    await using consumer = run('consumer');
    await using producer = run('producer');
    assert.equal((await producer.exited).code, 0, producer.stderr);
    assert.equal((await consumer.exited).code, 0, consumer.stderr);
    assert.equal(consumer.stdout, producer.stdout.replaceAll('Produced', 'Consumed'));
  });

  test('a file that cannot be read or written is named, exit code 70', async () => {
    await using queue = testQueue();
    const common = ['--queue', queue.name];
    await using producer = mq('producer', [...common, '--source', 'file', '--file', '/no/such']);
    const read = await ended(producer);
    assert.equal(read.code, 70);
    assert.match(
      String(read.sentence),
      /^--file cannot be read \/no\/such: ENOENT.*: check the path/,
    );
    await using consumer = mq('consumer', [...common, '--sink', 'file', '--file', '/no/such']);
    const write = await ended(consumer);
    assert.equal(write.code, 70);
    assert.match(String(write.sentence), /^--file cannot be written \/no\/such: ENOENT/);
  });

  test('a FIFO is refused at once, as a file to read and to write', async () => {
    await using queue = testQueue();
    using directory = temporaryDirectory('mq');
    const fifo = join(directory.path, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const common = ['--queue', queue.name];
    await using producer = mq('producer', [...common, '--source', 'file', '--file', fifo]);
    assert.deepEqual(await ended(producer), {
      code: 70,
      sentence: `--file ${fifo} is not a regular file: give a file, or write what it has to stdin with --source stdin`,
    });
    await using consumer = mq('consumer', [...common, '--sink', 'file', '--file', fifo]);
    assert.deepEqual(await ended(consumer), {
      code: 70,
      sentence: `--file ${fifo} is not a file: give a file, or use --sink stdout`,
    });
  });

  test('a consumer that does not acknowledge refuses what waits for it', async () => {
    await using queue = testQueue();
    using directory = temporaryDirectory('mq');
    await using producer = mq('producer', [
      ...['--queue', queue.name, '--delivery', 'at-least-once', '--journal', directory.path],
    ]);
    await using consumer = mq('consumer', ['--queue', queue.name]);
    assert.deepEqual(await ended(consumer), {
      code: 70,
      sentence:
        'the producer sends with --delivery at-least-once and waits for acknowledgements: give the consumer the same, with its --journal',
    });
    producer.kill();
    assert.equal((await producer.exited).code, 0);
  });
});
