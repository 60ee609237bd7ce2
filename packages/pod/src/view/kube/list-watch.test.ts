import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { KubeError } from './api.ts';
import { type Listed, listAndWatch } from './list-watch.ts';

/** An API server that answers lists and watches one after another; the last watch stays open. */
class Server {
  readonly asked: URLSearchParams[] = [];
  readonly #lists: (object | Error)[];
  readonly #watches: string[];

  constructor(lists: (object | Error)[], watches: string[]) {
    this.#lists = lists;
    this.#watches = watches;
  }

  async read(path: string): Promise<string> {
    this.#ask(path);
    const answer = this.#lists.shift();
    if (answer instanceof Error) throw answer;
    return JSON.stringify(answer);
  }

  async open(path: string, { signal }: { signal?: AbortSignal } = {}): Promise<never> {
    this.#ask(path);
    const text = this.#watches.shift();
    const stream =
      text === undefined
        ? new Readable({ read() {}, ...(signal ? { signal } : {}) })
        : Readable.from([text]);
    return stream as never;
  }

  #ask(path: string) {
    this.asked.push(new URL(path, 'http://api').searchParams);
  }
}

const object = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const list = (version: string, names: readonly string[], more = {}) => ({
  metadata: { resourceVersion: version, ...more },
  items: names.map((name) => object(name, '1')),
});
const event = (type: string, name: string, version: string) =>
  `${JSON.stringify({ type, object: object(name, version) })}\n`;

async function follow(server: Server, seen: string[], done: () => boolean) {
  const ending = new AbortController();
  const ended = listAndWatch<Listed>(server, {
    path: '/api/v1/pods',
    fields: 'involvedObject.kind=Pod',
    onList: (items) => seen.push(`list ${items.map(({ metadata }) => metadata.name)}`),
    onEvent: (type, { metadata }) => seen.push(`${type} ${metadata.name}`),
    onProblem: (problem) => problem && seen.push(problem),
    signal: ending.signal,
  });
  await eventually(done, { what: 'what was expected', interval: 10 });
  ending.abort();
  return ended;
}

test('a watch that ends is continued where it was, and one that is too old begins with a list', async () => {
  const server = new Server(
    [list('5', ['a'], { continue: 'more' }), list('5', ['b']), list('40', ['b'])],
    [
      event('MODIFIED', 'a', '7') + event('BOOKMARK', '', '9'),
      event('DELETED', 'a', '12'),
      `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410 } })}\n`,
    ],
  );
  const seen: string[] = [];
  await follow(server, seen, () => server.asked.length === 7);
  assert.deepEqual(seen, ['list a,b', 'MODIFIED a', 'DELETED a', 'list b']);
  assert.deepEqual(
    server.asked.map((query) => query.get('resourceVersion') ?? query.get('continue') ?? 'list'),
    ['list', 'more', '5', '9', '12', 'list', '40'],
  );
  assert.ok(
    server.asked.every((query) => query.get('fieldSelector') === 'involvedObject.kind=Pod'),
  );
});

test('an API server that does not answer is asked again, and one that forbids it is not', async () => {
  const down = new Server([new Error('connection refused'), list('1', ['a'])], []);
  const seen: string[] = [];
  await follow(down, seen, () => down.asked.length === 3);
  assert.deepEqual(seen, ['connection refused', 'list a']);

  const forbidding = new Server([new KubeError(403, 'services is forbidden')], []);
  const refused: string[] = [];
  await follow(forbidding, refused, () => refused.length > 0);
  assert.deepEqual(refused, ['services is forbidden']);
  assert.equal(forbidding.asked.length, 1);
});
