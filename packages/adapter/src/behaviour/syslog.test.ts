import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  eventually,
  startProgram,
  staysTrueFor,
  temporaryDirectory,
  testEarlyStop,
} from '@sidekit/test-kit';
import { Receiver } from '../testing/receiver.ts';

const MAIN = new URL('../main.ts', import.meta.url);

testEarlyStop(MAIN, ['--syslog', 'tcp::0', '--admin', '127.0.0.1:0', '--state', '/tmp/early-stop']);

/** An adapter that listens, its state, and the receiver of its records. */
async function scene() {
  const directory = temporaryDirectory('syslog');
  const receiver = await Receiver.start();
  const start = async (...args: readonly string[]) => {
    const program = startProgram(MAIN, [
      ...['--state', join(directory.path, 'state'), '--output', receiver.url],
      ...[
        '--admin',
        '127.0.0.1:0',
        '--log-level',
        'debug',
        '--retry-base',
        '5ms',
        '--retry-cap',
        '20ms',
      ],
      ...['--checkpoint-interval', '10ms', '--poll-interval', '20ms', ...args],
    ]);
    const { port: admin } = await program.event('admin_listening');
    await program.event('ready');
    const addresses = program.stderr
      .split('\n')
      .filter((line) => line.includes('"receiving"'))
      .map((line) => String(JSON.parse(line).address));
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${admin}${path}`)).text();
    return {
      program,
      addresses,
      get,
      /** The value of a metric, or the sum of its values if it has labels. */
      metric: async (name: string) =>
        (await get('/metrics'))
          .split('\n')
          .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
          .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0),
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  };
  return {
    path: directory.path,
    receiver,
    start,
    messages: () => receiver.records.map(({ message }) => message),
    arrived: (count: number) =>
      eventually(() => receiver.records.length >= count, { what: `${count} records` }),
    [Symbol.asyncDispose]: async () => {
      await receiver[Symbol.asyncDispose]();
      directory.remove();
    },
  };
}

async function connected(address = ''): Promise<Socket> {
  const target = address.slice(address.indexOf(':') + 1);
  const socket = address.startsWith('unix:')
    ? connect({ path: target })
    : connect({ host: '127.0.0.1', port: Number(target.split(':').at(-1)) });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function datagram(address = '', text: string | Buffer = ''): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.send(text, Number(address.split(':').at(-1)), '127.0.0.1', () => {
      socket.close();
      resolve();
    });
  });
}

test('syslog over UDP, TCP and a Unix stream, and JSON lines, become records with a key', async () => {
  await using s = await scene();
  const path = join(s.path, 'log.sock');
  await using adapter = await s.start(
    ...['--syslog', 'udp::0', '--syslog', 'tcp::0', '--syslog', `unix:${path}`],
    ...['--json-lines', 'tcp::0'],
  );
  const [udp, tcp, unix, json] = adapter.addresses;
  assert.match(udp ?? '', /^udp:127\.0\.0\.1:\d+$/);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  await datagram(udp, Buffer.from([...Buffer.from('<14>1 - h a - - - '), 0xff, 0x0a]));
  const [overTcp, overUnix, overJson] = await Promise.all([tcp, unix, json].map(connected));
  overTcp!.end('36 <11>1 2026-11-26T10:00:00Z h b - - -<12>counted no more\n');
  overUnix!.end('<13>Nov 26 10:00:00 c[3]: ends with NUL\0');
  overJson!.end('{"level":"warn","message":"json","time":1795687200}\n[1]\n{"message":"late"}');
  await s.arrived(7);
  const find = (value: string) =>
    s.receiver.records.find((one) => Object.values(one).includes(value));
  assert.equal(find('a')?.message, '\ufffd');
  assert.match(String(find('a')?.time), /^20\d\d-.*Z$/, 'the time of its arrival');
  assert.equal(find('b')?.time, '2026-11-26T10:00:00Z');
  assert.equal(find('counted no more')?.severity, 'warning');
  assert.equal(find('c')?.proc_id, '3');
  assert.equal(find('json')?.time, '2026-11-26T10:00:00Z');
  assert.equal(find('[1]')?.parse_error, 'JSON, but not an object');
  assert.ok(find('late'), 'a last line without its end');
  const keys = s.receiver.records.map((one) => `${one['file.id']} ${one.offset}`);
  assert.equal(new Set(keys).size, keys.length);
  adapter.program.kill();
  assert.equal((await adapter.program.exited).code, 0, adapter.program.stderr);
});

test('what is received while an output is down outlives SIGKILL, and arrives once, in order', async () => {
  await using s = await scene();
  s.receiver.down = true;
  {
    await using adapter = await s.start('--syslog', 'tcp::0');
    const socket = await connected(adapter.addresses[0]);
    for (let i = 0; i < 1000; i++) socket.write(`<14>app: ${i}\n`);
    await eventually(
      async () => (await adapter.metric('adapter_received_messages_total')) === 1000,
      {
        what: 'all messages',
      },
    );
    adapter.program.kill('SIGKILL');
    await adapter.program.exited;
  }
  s.receiver.down = false;
  await using adapter = await s.start('--syslog', 'tcp::0');
  await s.arrived(1000);
  assert.deepEqual(
    s.messages(),
    Array.from({ length: 1000 }, (_, i) => `app: ${i}`),
  );
  assert.equal(await adapter.metric('adapter_lost_files_total'), 0);
});

test('a full spool holds back senders that can wait, and drops what comes over UDP, counted', async () => {
  await using s = await scene();
  s.receiver.down = true;
  await using adapter = await s.start(
    ...['--syslog', 'udp::0', '--syslog', 'tcp::0', '--spool-bytes', '1MiB'],
  );
  const [udp, tcp] = adapter.addresses;
  const socket = await connected(tcp);
  const filler = 'x'.repeat(1000);
  const count = 20_000;
  for (let i = 0; i < count; i++) socket.write(`<14>app: ${i} ${filler}\n`);
  await eventually(async () => (await adapter.get('/readyz')).includes('is full'), {
    what: 'the warning',
  });
  await datagram(udp, '<14>no room');
  await eventually(async () => (await adapter.metric('adapter_dropped_messages_total')) === 1, {
    what: 'the dropped datagram',
  });
  assert.equal((await adapter.program.event('message_dropped')).listener, udp);
  await staysTrueFor(() => socket.writableLength > 0, 300, { what: 'the sender waits' });
  assert.ok((await adapter.metric('adapter_spool_bytes')) < 2 * 1024 * 1024);
  s.receiver.down = false;
  await s.arrived(count);
  assert.deepEqual(
    s.messages().map((message) => Number(String(message).split(' ')[1])),
    Array.from({ length: count }, (_, i) => i),
  );
  await eventually(async () => !(await adapter.get('/readyz')).includes('is full'), {
    what: 'the end of the warning',
  });
  await eventually(() => readdirSync(join(s.path, 'state/spool')).length <= 2, {
    what: 'delivered files are removed',
  });
  await datagram(udp, '<14>room again');
  await s.arrived(count + 1);
  socket.destroy();
});

test('connections are bounded in number, in idle time and in the size of their messages', async () => {
  await using s = await scene();
  await using adapter = await s.start(
    ...['--syslog', 'tcp::0', '--listen-connections', '2', '--listen-idle', '400ms'],
    ...['--max-line', '1KiB'],
  );
  const [tcp] = adapter.addresses;
  const slow = await connected(tcp);
  const wrong = await connected(tcp);
  const refused = await connected(tcp);
  await once(refused, 'close');
  slow.write(`<14>${'y'.repeat(5000)}\n3000 <14>${'z'.repeat(2996)}<14>after\n<14>unfin`);
  wrong.write('<14>before\n123456789 <14>x');
  await once(wrong, 'close');
  await once(slow, 'close');
  await s.arrived(4);
  const [long, counted] = ['y', 'z'].map((letter) =>
    s.receiver.records.find(({ message }) => String(message).startsWith(letter)),
  );
  for (const record of [long, counted]) {
    assert.equal(record?.truncated, true);
    assert.ok(String(record?.message).length > 400);
  }
  assert.ok(s.messages().includes('after') && s.messages().includes('before'));
  const closed = (await adapter.get('/metrics'))
    .split('\n')
    .filter((line) => line.startsWith('adapter_closed_connections_total{'))
    .map((line) => line.replace(/listener="[^"]*",?/, '').replace(/,?listener="[^"]*"/, ''));
  for (const cause of ['too_many', 'framing', 'idle']) {
    assert.ok(
      closed.some((line) => line.includes(`"${cause}"`) && line.endsWith(' 1')),
      cause,
    );
  }
  assert.equal(await adapter.metric('adapter_cut_messages_total'), 2);
});

test('listeners that cannot work are refused before anything is opened', async () => {
  const refused = async (args: readonly string[], rule: RegExp) => {
    await using program = startProgram(MAIN, ['--admin', '127.0.0.1:0', ...args]);
    assert.equal((await program.exited).code, 64, program.stderr);
    assert.match(program.stderr, rule);
  };
  await refused(['--syslog', 'tcp::5514'], /state.*required/);
  await refused(['--syslog', ':5514', '--state', '/x'], /--syslog.*its transport.*udp::5514/);
  await refused(['--json-lines', 'udp::5514', '--state', '/x'], /--json-lines/);
  await refused(['--syslog', 'tcp::1', '--json-lines', 'tcp::1', '--state', '/x'], /given twice/);
});
