import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, freePort, temporaryDirectory } from '@sidekit/test-kit';
import { Load, mixedRequest } from '../testing/load.ts';
import { TestProgram } from '../testing/program.ts';
import { sized } from '../testing/sized.ts';
import { later } from '../testing/slow.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

test('a stop under load fails no request of clients that honor Connection: close', async (t) => {
  const stops = sized(1, 20);
  await using upstream = await TestUpstream.start((incoming, response) => {
    incoming.resume().on('end', () => later(2, () => response.end('ok')));
  });
  let answered = 0;
  for (let i = 0; i < stops; i++) {
    await using program = await TestProgram.serving(upstream.url);
    let sent = 0;
    const load = new Load(program.port, 32, () => mixedRequest(sent++));
    await eventually(() => load.answered > 500, { what: 'load' });
    load.replacing = false;
    program.process.kill('SIGTERM');
    await eventually(async () => (await program.ask('/readyz')).status === 503, {
      what: 'not ready',
    });
    await load.done();
    assert.deepEqual(load.failed, []);
    assert.equal(load.answered, sent, 'each request has its response');
    assert.equal((await program.process.exited).code, 0);
    answered += load.answered;
  }
  t.diagnostic(`${stops} stops, ${answered} requests`);
});

test('an outbound listener accepts during a stop while it is in use, and closes last', async () => {
  using directory = temporaryDirectory('outbound');
  let release: (() => void) | undefined;
  await using upstream = await TestUpstream.start((incoming, response) => {
    if (incoming.url === '/hold') release = () => response.end('held');
    else response.end('ok');
  });
  const [inbound, outbound] = [await freePort(), await freePort()];
  const file = join(directory.path, 'a.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      drainDelay: '100ms',
      listeners: [
        { name: 'in', listen: `127.0.0.1:${inbound}`, upstream: [upstream.url] },
        {
          name: 'out',
          direction: 'outbound',
          listen: `127.0.0.1:${outbound}`,
          upstream: [upstream.url],
        },
      ],
    }),
  );
  await using program = await TestProgram.start(['--config', file]);
  const held = request(`http://127.0.0.1:${inbound}/hold`);
  await eventually(() => release !== undefined, { what: 'the request of the app' });
  program.process.kill('SIGTERM');
  await eventually(
    async () =>
      request(`http://127.0.0.1:${inbound}/`).then(
        () => false,
        () => true,
      ),
    { what: 'the inbound listener is closed' },
  );
  // The app works on its last request and still needs its way out.
  assert.equal((await request(`http://127.0.0.1:${outbound}/`)).body, 'ok');
  release!();
  assert.equal((await held).body, 'held');
  assert.equal((await program.process.exited).code, 0);
});
