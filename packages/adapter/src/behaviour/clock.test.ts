import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { appendFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  eventually,
  startProgram,
  staysTrueFor,
  temporaryDirectory,
  wallClockAt,
} from '@sidekit/test-kit';

/** An hour or more in each second. */
const FAST = 5000;

/** An adapter with all kinds of input, and a wall clock of its own. */
async function scene(rate: number, options: Readonly<Record<string, unknown>>) {
  const directory = temporaryDirectory('clock');
  const status = createServer((_, response) => response.end('{"up":7}'));
  status.listen(0, '127.0.0.1').unref();
  await once(status, 'listening');
  const { port } = status.address() as AddressInfo;
  const log = join(directory.path, 'app.log');
  const config = join(directory.path, 'config.json');
  const endpoint = {
    url: `http://127.0.0.1:${port}`,
    interval: '1s',
    metrics: [{ name: 'app_up', path: '.up' }],
  };
  writeFileSync(log, 'first\n');
  writeFileSync(
    config,
    JSON.stringify({
      ...{ include: [log], state: join(directory.path, 'state'), pollInterval: '20ms' },
      ...{ syslog: ['tcp::0'], statsd: ':0', admin: '127.0.0.1:0', jsonEndpoints: [endpoint] },
      logLevel: 'debug',
      ...options,
    }),
  );
  const program = startProgram(new URL('../main.ts', import.meta.url), ['--config', config], {
    env: wallClockAt(rate),
  });
  const { port: admin } = await program.event('admin_listening');
  const portOf = async (event: string) =>
    Number(
      String((await program.event(event)).address)
        .split(':')
        .at(-1),
    );
  const socket = createSocket('udp4');
  const statsd = await portOf('statsd_listening');
  const metrics = async () => (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  const sample = async (line: string) => (await metrics()).split('\n').includes(line);
  return {
    ...{ log, program, status, metrics, sample },
    /** Sends a metric until it is there. */
    count: () =>
      eventually(
        () => {
          socket.send('placed:1|c', statsd, '127.0.0.1');
          return sample('adapter_statsd_series 1');
        },
        { what: 'the metric' },
      ),
    connection: async () => connect(await portOf('receiving'), '127.0.0.1'),
    shows: (line: string) => eventually(() => sample(line), { what: line }),
    [Symbol.asyncDispose]: async () => {
      socket.close();
      status.close();
      status.closeAllConnections();
      await program[Symbol.asyncDispose]();
      directory.remove();
    },
  };
}

test('a clock that goes back delays nothing', async () => {
  await using s = await scene(-FAST, {
    ...{ statsdExpiry: '2s', listenIdle: '200ms', partialFlush: '200ms', rotateWait: '200ms' },
  });
  await s.count();
  await s.shows('app_up 7');
  const idle = await s.connection();
  idle.resume();
  await eventually(() => idle.closed, { what: 'the end of the idle connection' });
  await s.shows('adapter_statsd_series 0');
  s.status.close();
  s.status.closeAllConnections();
  await eventually(async () => !(await s.metrics()).includes('\napp_up '), {
    what: 'the end of a sample whose endpoint is gone',
  });
  appendFileSync(s.log, 'no end');
  await eventually(() => s.program.stdout.includes('"no end"'), { what: 'the partial line' });
  unlinkSync(s.log);
  await s.shows('adapter_open_files 1');
});

test('a clock that goes ahead ends nothing early', async () => {
  const long = '10m';
  await using s = await scene(FAST, {
    ...{ statsdExpiry: long, heldAge: long, partialFlush: long, rotateWait: long },
    output: ['http://127.0.0.1:9'],
  });
  await s.count();
  appendFileSync(s.log, 'no end');
  await s.shows('adapter_lag_bytes 12');
  unlinkSync(s.log);
  await staysTrueFor(
    async () =>
      (await s.sample('adapter_lag_bytes 12')) &&
      (await s.sample('adapter_statsd_series 1')) &&
      (await s.sample('adapter_partial_lines_total 0')),
    1500,
    { what: 'what was read is held' },
  );
});
