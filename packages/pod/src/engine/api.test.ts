import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { ExitCode, type ExpectedError } from '@sidekit/core/tool';
import { EngineApi, type EngineError, pathPart } from './api.ts';
import { exec } from './exec.ts';
import { fakeEngine, frame } from './testing/fake-engine.ts';

test("an engine's error is its message and status", async () => {
  await using engine = await fakeEngine((_, response) => {
    response.writeHead(404).end('{"message":"no such image"}');
  });
  await assert.rejects(new EngineApi(engine.socket).call('GET', '/x'), (error: EngineError) => {
    assert.deepEqual([error.status, error.message], [404, 'no such image']);
    return true;
  });
});

test('an endless answer is cut off', async () => {
  await using engine = await fakeEngine((_, response) => {
    const chunk = Buffer.alloc(1 << 20, 'x');
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(new EngineApi(engine.socket).call('GET', '/x'), /longer than/);
});

test('an engine that is not there is revived once, and the request repeated', async () => {
  await using engine = await fakeEngine((_, response) => response.end('{"a":1}'));
  const api = new EngineApi(`${engine.socket}-missing`);
  await assert.rejects(api.call('GET', '/x'), (error: ExpectedError) => {
    assert.match(error.message, /does not answer on .*-missing: .*ENOENT/);
    return error.exitCode === ExitCode.unavailable;
  });
  let revived = 0;
  const other = new EngineApi(`${engine.socket}-missing`, async () => {
    revived++;
  });
  await assert.rejects(other.call('GET', '/x'), /does not answer/);
  assert.equal(revived, 1);
});

test('names are encoded in paths, and slashes of image references stay', () => {
  assert.equal(pathPart('a/b:1@sha256:0'), 'a/b:1@sha256:0');
  assert.equal(pathPart('a?b#c d'), 'a%3Fb%23c%20d');
});

/** An engine in which each command prints frames and exits with a code. */
function execEngine(frames: readonly Buffer[], code: number) {
  return fakeEngine((request, response) => {
    if (request.url?.endsWith('/exec')) response.end('{"Id":"e"}');
    else if (request.url?.endsWith('/start')) {
      for (const one of frames) response.write(one);
      response.end();
    } else response.end(JSON.stringify({ Running: false, ExitCode: code, Pid: 0 }));
  });
}

const REQUEST = { container: 'c', argv: ['x'], timeout: 60_000, limit: 10 };

test('a command returns its exit code and the beginning of its output', async () => {
  const all = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, '0123456789')]);
  // Cut in the middle of headers and contents.
  await using engine = await execEngine(
    [all.subarray(0, 3), all.subarray(3, 12), all.subarray(12)],
    124,
  );
  assert.deepEqual(await exec(new EngineApi(engine.socket), '', REQUEST), {
    type: 'exited',
    code: 124,
    output: 'outerr0123',
  });
});

test('a command that the engine could not start is an error, not an exit code', async () => {
  await using podman = await execEngine([frame(3, 'Error: runc: exec failed')], 127);
  await assert.rejects(exec(new EngineApi(podman.socket), '', REQUEST), /runc: exec failed/);
  await using docker = await execEngine([frame(1, 'OCI runtime exec failed: not found')], 126);
  await assert.rejects(exec(new EngineApi(docker.socket), '', { ...REQUEST, limit: 100 }), /OCI/);
});

test('the time of a command counts from its start, and not from the call of the engine', async () => {
  let checks = 0;
  await using engine = await fakeEngine((request, response) => {
    if (request.url?.endsWith('/exec')) response.end('{"Id":"e"}');
    else if (request.url?.endsWith('/start')) response.flushHeaders();
    else {
      checks++;
      // The engine needs a while until the command runs; then it hangs.
      response.end(JSON.stringify({ Running: checks > 3, ExitCode: 0, Pid: 0 }));
    }
  });
  const result = await exec(new EngineApi(engine.socket), '', { ...REQUEST, timeout: 10 });
  assert.equal(result.type, 'timeout');
  assert.ok(checks > 3);
});

test('a command that has ended in time is no timeout, however late the engine reports its end', async () => {
  const ended = spawnSync(process.execPath, ['-e', '']).pid;
  let checks = 0;
  await using engine = await fakeEngine((request, response) => {
    if (request.url?.endsWith('/exec')) return response.end('{"Id":"e"}');
    if (request.url?.endsWith('/start')) {
      start = response;
      return response.flushHeaders();
    }
    checks++;
    // Well after the command's time.
    if (checks === 4) start?.end();
    response.end(JSON.stringify({ Running: checks < 4, ExitCode: 0, Pid: ended }));
  });
  let start: ServerResponse | undefined;
  const result = await exec(new EngineApi(engine.socket), '', { ...REQUEST, timeout: 10 }, true);
  assert.deepEqual(result, { type: 'exited', code: 0, output: '' });
  assert.ok(checks >= 4);
});
