import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { eventually, startProgram, testEarlyStop } from '@sidekit/test-kit';

const MAIN = new URL('../main.ts', import.meta.url);

testEarlyStop(MAIN, ['--statsd', '127.0.0.1:0', '--admin', '127.0.0.1:0']);

/** Starts an adapter for StatsD alone, with a socket that sends to it. */
async function receiving(...args: readonly string[]) {
  const program = startProgram(MAIN, [
    ...['--statsd', ':0', '--admin', '127.0.0.1:0', '--log-level', 'debug', ...args],
  ]);
  const { address } = (await program.event('statsd_listening')) as { address: string };
  const { port: admin } = await program.event('admin_listening');
  await program.event('ready');
  const socket = createSocket(address.startsWith('[') ? 'udp6' : 'udp4');
  const port = Number(address.split(':').at(-1));
  const get = async (path: string, accept = '*/*') =>
    (await fetch(`http://127.0.0.1:${admin}${path}`, { headers: { accept } })).text();
  return {
    program,
    address,
    get,
    send: (bytes: string | Buffer) =>
      new Promise<void>((resolve, reject) => {
        socket.send(bytes, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
      }),
    /** Waits for a line of /metrics. */
    sample: (line: string) =>
      eventually(async () => (await get('/metrics')).split('\n').includes(line), { what: line }),
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await program[Symbol.asyncDispose]();
    },
  };
}

test('metrics of an application are served, without any log file', async () => {
  await using s = await receiving('--statsd-buckets', '0.1', '--statsd-buckets', '1');
  assert.match(s.address, /^127\.0\.0\.1:\d+$/);
  await s.send('orders.placed:3|c|@0.5|#country:ch\ncart.size:7|g\npay.took:250|ms\nusers:a|s');
  await s.sample('orders_placed{country="ch"} 6');
  await s.sample('cart_size 7');
  await s.sample('pay_took_bucket{le="1"} 1');
  await s.sample('pay_took_sum 0.25');
  await s.sample('users 1');
  await s.sample('adapter_statsd_datagrams_total 1');
  await s.sample('adapter_statsd_dropped_datagrams_total 0');
  assert.match(await s.get('/metrics', 'application/openmetrics-text'), /\n# EOF\n$/);
  s.program.kill();
  assert.equal((await s.program.exited).code, 0, s.program.stderr);
});

test('invalid UTF-8 is replaced, and a hostile datagram costs itself only', async () => {
  await using s = await receiving();
  await s.send(Buffer.concat([Buffer.from('bad:1|c|#who:'), Buffer.from([0xff, 0xc3])]));
  await s.send(Buffer.alloc(65_000, 0));
  await s.send(Buffer.alloc(65_000, ':|'));
  await s.send('x:NaN|g\nx:1|c|@0\ngood:1|c');
  await s.send('');
  await s.sample('bad{who="\ufffd\ufffd"} 1');
  await s.sample('good 1');
  await s.sample('adapter_statsd_dropped_values_total{cause="not_finite"} 1');
  await s.sample('adapter_statsd_dropped_values_total{cause="sample_rate"} 1');
  await s.sample('adapter_statsd_dropped_values_total{cause="malformed"} 2');
  assert.ok((await s.program.event('statsd_dropped')).cause);
});

test('a reached cap is a warning in /readyz until series expire', async () => {
  await using s = await receiving('--statsd-series', '100', '--statsd-expiry', '5s');
  for (let i = 0; i < 120; i++) await s.send(`many:1|c|#i:${i}`);
  await eventually(async () => (await s.get('/readyz')).includes('series_limit'), {
    what: 'the warning',
  });
  assert.equal((await s.program.event('statsd_dropped')).cause, 'series_limit');
  await s.sample('adapter_statsd_series 0');
  assert.doesNotMatch(await s.get('/readyz'), /series_limit/);
});

test('an address in use ends the start with its remedy', async () => {
  await using s = await receiving();
  await using second = startProgram(MAIN, ['--statsd', s.address, '--admin', '127.0.0.1:0']);
  assert.equal((await second.exited).code, 70);
  assert.match(second.stderr, /--statsd 127\.0\.0\.1:\d+ cannot be listened on.*another port/);
  assert.doesNotMatch(second.stderr, /\bat .*\.ts:\d/);
});
