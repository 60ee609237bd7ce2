import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CanonicalRequest } from '../http/canonical-request.ts';
import { SMALL } from '../http/small.ts';
import { OwnBytes } from '../memory/lent-bytes.ts';
import { MemoryBudget } from '../memory/memory-budget.ts';
import type { ResponseReceiver } from '../upstream/response-receiver.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';
import { RequestBody } from './request-body.ts';

const REQUEST = {} as CanonicalRequest;
const RECEIVER = {} as ResponseReceiver;

/** Records what an upstream that takes no more than `SMALL` bytes at once was sent. */
function recordingStream() {
  const calls: string[] = [];
  const stream = {
    begin: (_receiver, _request, first, complete) => {
      calls.push(`begin ${first?.length ?? 0} ${complete}`);
    },
    sendBody: ({ bytes }) => {
      calls.push(`body ${bytes.length}`);
      return bytes.length <= SMALL;
    },
    endBody: () => {
      calls.push('end');
    },
  } as Partial<UpstreamStream> as UpstreamStream;
  return { calls, stream };
}

for (const { size, length, calls, more } of [
  { size: 0, length: 0, calls: ['begin 0 true'], more: true },
  { size: SMALL, length: SMALL, calls: [`begin ${SMALL} true`], more: true },
  { size: SMALL, length: 2 * SMALL, calls: [`begin ${SMALL} false`], more: true },
  {
    size: SMALL + 1,
    length: SMALL + 1,
    calls: ['begin 0 false', `body ${SMALL + 1}`, 'end'],
    more: false,
  },
  {
    size: SMALL + 1,
    length: 2 * SMALL,
    calls: ['begin 0 false', `body ${SMALL + 1}`],
    more: false,
  },
]) {
  test(`${size} of ${length} bytes that came with the head pause the client: ${!more}`, () => {
    const body = new RequestBody(new MemoryBudget(1));
    body.begin(length, size === 0 ? undefined : new OwnBytes(Buffer.alloc(size)), false);
    const recorded = recordingStream();
    assert.equal(body.sendWith(REQUEST, recorded.stream, RECEIVER), more);
    assert.deepEqual(recorded.calls, calls);
  });
}

test('a first piece that is not needed for a retry any more leaves the budget', () => {
  const memory = new MemoryBudget(1024 * 1024);
  const body = new RequestBody(memory);
  body.begin(4 * SMALL, new OwnBytes(Buffer.alloc(SMALL)), true);
  const { stream } = recordingStream();
  body.sendWith(REQUEST, stream, RECEIVER);
  assert.equal(memory.used, SMALL, 'it is kept for a retry');
  body.take(new OwnBytes(Buffer.alloc(SMALL + 1)), stream);
  assert.equal(body.repeatable, false);
  assert.equal(memory.used, 0);
});

test('a body in thousands of tiny pieces is kept as one, within the budget', () => {
  const memory = new MemoryBudget(1024 * 1024);
  const body = new RequestBody(memory);
  body.begin(-1, undefined, true);
  const before = recordingStream();
  body.sendWith(REQUEST, before.stream, RECEIVER);
  const text = 'abcdefgh'.repeat(1000);
  for (const letter of text) body.take(new OwnBytes(Buffer.from(letter)), before.stream);
  assert.ok(memory.used >= text.length && memory.used <= 2 * SMALL, `${memory.used}`);
  let again = '';
  const { stream } = recordingStream();
  stream.sendBody = ({ bytes }) => {
    again += bytes.toString();
    return true;
  };
  body.sendWith(REQUEST, stream, RECEIVER);
  assert.equal(again, text);
  body.take(new OwnBytes(Buffer.from('!')), stream);
  assert.equal(again, `${text}!`);
  body.clear();
  assert.equal(memory.used, 0);
});
