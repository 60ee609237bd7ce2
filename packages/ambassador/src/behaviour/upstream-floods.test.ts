import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import { eventually } from '@sidekit/test-kit';
import { FrameServer } from '../testing/frame-server.ts';
import { Flag, type FramePeer, frame, literals, Type } from '../testing/frames.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawServer } from '../testing/raw.ts';

const END = Flag.endHeaders | Flag.endStream;
const STATUS: [string, string] = [':status', '200'];
const OK = [STATUS, ['content-length', '2']] as const;
const large = (name: string): [string, string] => [name, 'a'.repeat(1000)];
const fields = (count: number) => Array.from({ length: count }, (_, i) => large(`x-${i}`));
const head = (stream: number, flags: number, list: readonly (readonly [string, string])[]) =>
  frame(Type.headers, flags, stream, literals(list));

/** Sends frames until the proxy takes no more: it has to end the stream or the connection. */
function flood(peer: FramePeer, stream: number, make: () => Buffer): void {
  const ended = () =>
    peer.ended || peer.frames.some((one) => one.type === Type.reset && one.stream === stream);
  const more = () => {
    if (ended()) return;
    for (let i = 0; i < 50; i++) peer.send(make());
    setImmediate(more);
  };
  more();
}

/** Frames of which each is answered. */
const PINGS = Buffer.concat(Array.from({ length: 100 }, () => frame(Type.ping, 0, 0, '12345678')));
const SETTINGS = Buffer.concat(Array.from({ length: 100 }, () => frame(Type.settings, 0, 0)));
const INFORMATIONAL: [string, string] = [':status', '103'];
const REFERENCE = 0xbe;

/** Responses over HTTP/2 that are refused, by what is wrong with them. */
const HTTP2: Record<string, (peer: FramePeer, stream: number) => void> = {
  'a head of 20 KB': (peer, stream) => peer.send(head(stream, END, [STATUS, ...fields(20)])),
  '200 fields': (peer, stream) =>
    peer.send(
      head(stream, END, [STATUS, ...Array.from({ length: 200 }, () => ['x', ''] as const)]),
    ),
  'a head that HPACK inflates': (peer, stream) =>
    peer.send(
      frame(
        Type.headers,
        END,
        stream,
        Buffer.concat([
          literals([STATUS]),
          // One literal that enters the dynamic table (RFC 7541 §6.2.1), then references to it.
          Buffer.from('@\x03x-a\x7f\x81\x1e', 'latin1'),
          Buffer.alloc(4000, 'a'),
          Buffer.alloc(8000, REFERENCE),
        ]),
      ),
    ),
  'CONTINUATION without an end': (peer, stream) => {
    peer.send(head(stream, 0, [STATUS]));
    flood(peer, stream, () => frame(Type.continuation, 0, stream, literals(fields(10))));
  },
  'empty CONTINUATION without an end': (peer, stream) => {
    peer.send(head(stream, 0, [STATUS]));
    flood(peer, stream, () => frame(Type.continuation, 0, stream));
  },
  // More at a time than the limit, since the average counts.
  'PING without an end': (peer, stream) => flood(peer, stream, () => PINGS),
  'SETTINGS without an end': (peer, stream) => flood(peer, stream, () => SETTINGS),
  'informational responses without an end': (peer, stream) =>
    flood(peer, stream, () => head(stream, Flag.endHeaders, [INFORMATIONAL])),
};

/** Responses whose head is good, and which then break. */
const BROKEN: typeof HTTP2 = {
  'empty DATA without an end': (peer, stream) => {
    peer.send(head(stream, Flag.endHeaders, OK));
    flood(peer, stream, () => frame(Type.data, 0, stream));
  },
  'trailers of 20 KB': (peer, stream) => {
    peer.send(head(stream, Flag.endHeaders, [STATUS]), frame(Type.data, 0, stream, 'ok'));
    peer.send(head(stream, END, fields(20)));
  },
  'trailers without an end': (peer, stream) => {
    peer.send(head(stream, Flag.endHeaders, [STATUS]), frame(Type.data, 0, stream, 'ok'));
    peer.send(head(stream, Flag.endStream, fields(1)));
    flood(peer, stream, () => frame(Type.continuation, 0, stream, literals(fields(10))));
  },
};

async function statusOf(url: string): Promise<number | 'broken'> {
  try {
    const response = await fetch(url);
    await response.text();
    return response.status;
  } catch {
    return 'broken';
  }
}

for (const [name, serve] of Object.entries({ ...HTTP2, ...BROKEN })) {
  test(`an HTTP/2 upstream that sends ${name} gets its stream or session closed`, async () => {
    let first = true;
    await using upstream = await FrameServer.start((peer, stream) => {
      if (first) serve(peer, stream);
      else peer.send(head(stream, END, [STATUS]));
      first = false;
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url] });
    assert.equal(await statusOf(proxy.url), name in BROKEN ? 'broken' : 502);
    await eventually(async () => (await statusOf(proxy.url)) === 200, { what: 'the next request' });
    await proxy.settled();
  });
}

test('sessions that fail within a head do not end the process once they are collected', async () => {
  v8.setFlagsFromString('--expose-gc');
  const collect: () => void = vm.runInNewContext('gc');
  await using upstream = await FrameServer.start(HTTP2['CONTINUATION without an end']!);
  await using proxy = await TestProxy.start({ upstream: [upstream.url], ejectAfter: 1000 });
  for (let i = 0; i < 20; i++) {
    assert.equal(await statusOf(proxy.url), 502);
    collect();
  }
  await proxy.settled();
});

/** The same over HTTP/1.1: what comes before the flood, and its unit. */
const HTTP1: Record<string, [before: string, unit: string, result: 'broken' | 502]> = {
  'informational responses': ['', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 502],
  'fields of a head': ['HTTP/1.1 200 OK\r\n', 'X-A: a\r\n', 502],
  'a field of a head': ['HTTP/1.1 200 OK\r\nX-A: ', 'aaaaaaaaaa', 502],
  'a reason': ['HTTP/1.1 200 ', 'aaaaaaaaaa', 502],
  'a chunk extension': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n2;',
    'aaaaaaaaaa',
    'broken',
  ],
  trailers: [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n',
    'X-A: a\r\n',
    'broken',
  ],
};

for (const [name, [before, unit, result]] of Object.entries(HTTP1)) {
  test(`an HTTP/1.1 upstream that sends ${name} without an end gets its connection closed`, async () => {
    await using upstream = await RawServer.start((socket, _text, index) => {
      if (index > 0) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      socket.write(before);
      const more = () => {
        if (socket.destroyed) return;
        socket.write(unit.repeat(100));
        setImmediate(more);
      };
      more();
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url] });
    assert.equal(await statusOf(proxy.url), result);
    await eventually(async () => (await statusOf(proxy.url)) === 200, { what: 'the next request' });
    await proxy.settled();
  });
}
