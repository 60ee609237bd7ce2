import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { Load, mixedRequest } from '../testing/load.ts';
import { TestProgram } from '../testing/program.ts';
import { sized } from '../testing/sized.ts';
import { later, pause } from '../testing/slow.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const MB = 1e6;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('memory stays flat over many requests of all kinds, and all sockets are closed', async (t) => {
  const total = sized(20_000, 1_000_000);
  await using upstream = await TestUpstream.start((incoming, response) => {
    incoming.resume().on('end', () => response.end('ok'));
  });
  await using program = await TestProgram.serving(upstream.url);
  const before = program.descriptors;
  let sent = 0;
  let aborted = 0;
  const load = new Load(program.port, 32, () => {
    if (sent % 500 === 250) abort(program.port, aborted++);
    return sent < total ? mixedRequest(sent++) : undefined;
  });
  await eventually(() => load.answered > total * 0.3, { what: 'the warm-up', timeout: 3_600_000 });
  const warm = program.resident;
  await load.done();
  const after = program.resident;
  assert.deepEqual(load.failed, []);
  assert.equal(load.answered, total);
  // A short run ends before the heap has reached its steady size.
  const allowed = total >= 1_000_000 ? 1.1 : 1.5;
  t.diagnostic(
    `${total} requests, ${aborted} aborts: ${warm / MB} MB when warm, ${after / MB} MB after`,
  );
  assert.ok(after < warm * allowed, `${warm} grew to ${after}`);
  await eventually(() => program.descriptors <= before, {
    what: 'no socket is left',
  });
  assert.equal(await program.metric('http_server_active_requests{listener="main"}'), 0);
});

/** Disconnects in the middle of a request, or of its response. */
function abort(port: number, n: number) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(n % 2 ? GET : mixedRequest(7).slice(0, 20 + (n % 1000)), () =>
    n % 3 ? socket.resetAndDestroy() : socket.destroy(),
  );
}

for (const { lane, pace, rest } of [
  { lane: 'fast lane', pace: 'slow', rest: 2 },
  { lane: 'full lane', pace: 'slow', rest: 2 },
  { lane: 'fast lane', pace: 'quick', rest: 0 },
  { lane: 'full lane', pace: 'quick', rest: 0 },
]) {
  test(`${lane}: a ${pace} reader of a huge response costs less than 20 MB`, async (t) => {
    const total = sized(64 * 1024 * 1024, 1024 ** 3);
    // No two pieces within the size of any buffer are equal.
    const block = randomBytes(1024 * 1024 - 7);
    const digest = createHash('sha256');
    await using upstream = await TestUpstream.start((_incoming, response) => {
      let left = total;
      response.setHeader('content-length', total);
      const write = () => {
        while (left > 0) {
          const piece = block.subarray(0, left);
          left -= piece.length;
          digest.update(piece);
          if (!response.write(piece)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    const flag = `--fast-lane=${lane === 'fast lane'}`;
    await using program = await TestProgram.serving(upstream.url, flag);
    const socket = net.connect(program.port, '127.0.0.1');
    socket.write(GET);
    await once(socket, 'readable');
    const got = createHash('sha256');
    const before = program.resident;
    let most = before;
    let received = 0;
    let piece = 0;
    let inBody = false;
    socket.on('data', (chunk: Buffer) => {
      // The head arrives in one piece, with or without the start of the body.
      const body = inBody ? chunk : chunk.subarray(chunk.indexOf('\r\n\r\n') + 4);
      inBody = true;
      got.update(body);
      received += body.length;
      piece += chunk.length;
      if (piece < 1024 * 1024) return;
      piece = 0;
      most = Math.max(most, program.resident);
      if (rest === 0) return;
      // A pause after each MiB: all the time the proxy has more than it can forward.
      socket.pause();
      later(rest, () => socket.resume());
    });
    await eventually(() => received === total, { what: 'all of it', timeout: 600_000 });
    socket.destroy();
    t.diagnostic(`${total} bytes: ${before / MB} MB before, ${most / MB} MB at most`);
    assert.equal(got.digest('hex'), digest.digest('hex'));
    assert.ok(most - before < 20 * MB, `${before} grew to ${most}`);
  });
}

test('clients that send heads byte by byte are closed, and no other client waits', async () => {
  const count = sized(100, 2000);
  await using upstream = await TestUpstream.start((_incoming, response) => response.end('ok'));
  await using program = await TestProgram.serving(upstream.url, '--headers-timeout', '2s');
  const before = program.descriptors;
  let ended = 0;
  let refused = 0;
  const drops = Array.from({ length: count }, (_, i) => {
    const socket = net.connect(program.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', (chunk) => (refused += String(chunk).startsWith('HTTP/1.1 408 ') ? 1 : 0));
    socket.on('close', () => ended++);
    // Half of them begin in the full lane, since their method is not one of the fast lane's.
    socket.write(`${i % 2 ? 'GET' : 'PROPFIND'} / HTTP/1.1\r\nHost: a\r\nX: `);
    return socket;
  });
  const drip = setInterval(() => {
    for (const socket of drops) if (socket.writable) socket.write('x');
  }, 100);
  try {
    let served = 0;
    while (ended < count) {
      assert.equal((await request(program.url)).status, 200);
      served++;
      await pause(20);
    }
    assert.ok(served > 0, 'others were served in the meantime');
    assert.equal(refused, count, 'each got 408');
  } finally {
    clearInterval(drip);
  }
  await eventually(() => program.descriptors <= before + 1, { what: 'no socket is left' });
});

test('idle connections cost little, and stay usable', async (t) => {
  // Both ends of a connection need a descriptor, in two processes.
  const count = sized(1500, 10_000);
  await using upstream = await TestUpstream.start((_incoming, response) => response.end('ok'));
  await using program = await TestProgram.serving(upstream.url, '--max-connections', '20000');
  const open = async (n: number) => {
    const sockets: net.Socket[] = [];
    for (let i = 0; i < n; i++) {
      const socket = net.connect(program.port, '127.0.0.1');
      sockets.push(socket);
      socket.write(GET);
      await once(socket, 'data');
    }
    return sockets;
  };
  // One-time allocations are not the connections' cost.
  for (const socket of await open(200)) socket.destroy();
  await eventually(() => program.descriptors < 100, { what: 'the first are closed' });
  const before = program.resident;
  const sockets = await open(count);
  const each = (program.resident - before) / count;
  t.diagnostic(`${count} connections, ${Math.round(each)} bytes each`);
  assert.ok(each < 30_000, `${each} bytes a connection`);
  for (const socket of [sockets[0]!, sockets.at(-1)!]) {
    socket.write(GET);
    await once(socket, 'data');
  }
  for (const socket of sockets) socket.destroy();
  await eventually(() => program.descriptors < 100, { what: 'all are closed' });
});
