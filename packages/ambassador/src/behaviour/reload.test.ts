import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, freePort, temporaryDirectory } from '@sidekit/test-kit';
import { Load, mixedRequest } from '../testing/load.ts';
import { TestProgram } from '../testing/program.ts';
import { sized } from '../testing/sized.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

test('reloads under load drop nothing; a bad file is refused and reported, and a good one recovers', async (t) => {
  const reloads = sized(10, 50);
  using directory = temporaryDirectory('reload');
  const counts = { first: 0, second: 0 };
  const answering = (name: 'first' | 'second') =>
    TestUpstream.start((incoming, response) => {
      incoming.resume().on('end', () => {
        counts[name]++;
        response.end(name);
      });
    });
  await using first = await answering('first');
  await using second = await answering('second');
  const port = await freePort();
  // As the kubelet does it: a link to the directory of a version, replaced by rename.
  const publish = (version: string, text: string) => {
    const data = join(directory.path, `..${version}`);
    mkdirSync(data);
    writeFileSync(join(data, 'a.yaml'), text);
    symlinkSync(`..${version}`, join(directory.path, '..tmp'));
    renameSync(join(directory.path, '..tmp'), join(directory.path, '..data'));
  };
  const config = (url: string) =>
    JSON.stringify({ listeners: [{ name: 'web', listen: `127.0.0.1:${port}`, upstream: [url] }] });
  publish('0', config(first.url));
  symlinkSync('..data/a.yaml', join(directory.path, 'a.yaml'));
  await using program = await TestProgram.start(['--config', join(directory.path, 'a.yaml')]);
  const url = `http://127.0.0.1:${port}/`;
  let running = true;
  let sent = 0;
  const load = new Load(port, 16, () => (running ? mixedRequest(sent++) : undefined));
  for (let i = 1; i <= reloads; i++) {
    const wanted = i % 2 ? 'second' : 'first';
    publish(String(i), config(i % 2 ? second.url : first.url));
    const before = counts[wanted];
    await eventually(() => counts[wanted] > before + 50, { what: `reload ${i}` });
  }
  running = false;
  await load.done();
  t.diagnostic(`${reloads} reloads, ${load.answered} requests`);
  assert.deepEqual(load.failed, []);
  assert.equal(load.answered, sent);
  const metrics = async () => (await program.ask('/metrics')).body;
  await eventually(
    async () =>
      (await metrics()).includes(`ambassador_config_reloads_total{result="applied"} ${reloads}\n`),
    { what: 'all reloads counted' },
  );

  publish(
    'bad',
    'listeners:\n  - {name: web, lisen: ":1", upstream: [http://x]}\n  - {name: web}\n',
  );
  await eventually(
    async () => (await metrics()).includes('ambassador_config_last_reload_successful 0'),
    { what: 'the refusal' },
  );
  const ready = await program.ask('/readyz');
  assert.equal(ready.status, 200, 'the old configuration goes on');
  assert.match(ready.body, /lisen.*is not a known key/);
  assert.equal((await request(url)).status, 200);
  const refusal = program.process.log.find(({ event }) => event === 'configuration_refused');
  assert.match(JSON.stringify(refusal), /did you mean.*listen|listen/);

  publish('good', config(first.url));
  await eventually(
    async () => (await metrics()).includes('ambassador_config_last_reload_successful 1'),
    { what: 'recovered' },
  );
  assert.equal((await request(url)).body, 'first');
});
