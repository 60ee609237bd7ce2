import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import supertest from 'supertest';
import { combinedLine, LogWriter } from './access-log.ts';
import { createApp } from './app.ts';

let directory = temporaryDirectory('webapp');
let log: LogWriter;
const logFile = () => join(directory.path, 'access.log');
const client = () => supertest(createApp({ static: directory.path, maxBody: 1000, log }));
const lines = () => readFileSync(logFile(), 'utf8').trimEnd().split('\n');

beforeEach(() => {
  directory = temporaryDirectory('webapp');
  log = new LogWriter(logFile());
});
afterEach(() => {
  log.close();
  directory.remove();
});

test('the start page shows the headers of the request, escaped', async () => {
  const { text } = await client()
    .get('/')
    .set('x-test', '<script>')
    .expect(200)
    .expect('content-type', /html/);
  assert.match(text, /x-test/i);
  assert.doesNotMatch(text, /<script>/);
});

test('files of the shared volume are served in their current state', async () => {
  writeFileSync(join(directory.path, 'index.html'), 'one');
  assert.equal((await client().get('/').expect(200)).text, 'one');
  writeFileSync(join(directory.path, 'index.html'), 'two');
  assert.equal((await client().get('/').expect(200)).text, 'two');
});

test('/echo returns method, headers and body, up to the limit', async () => {
  const { body } = await client().post('/echo?x=1').send('hello').expect(200);
  assert.equal(body.method, 'POST');
  assert.equal(body.url, '/echo?x=1');
  assert.equal(body.body, 'hello');
  await client().post('/echo').type('text').send('x'.repeat(1001)).expect(413);
});

test('/flaky fails at the rate asked for, /slow sleeps', async () => {
  await client().get('/flaky?rate=0').expect(200);
  await client().get('/flaky?rate=1').expect(503);
  await client().get('/slow?ms=1').expect(200, 'slept 1 ms\n');
});

test('/sink keeps posted bodies', async () => {
  const app = createApp({ static: undefined, maxBody: 1000, log });
  await supertest(app).post('/sink').type('text').send('a').expect(200);
  await supertest(app).post('/v1/logs').send({ b: 1 }).expect(200);
  const { text, headers } = await supertest(app).get('/sink').expect(200);
  assert.equal(text, 'a\n{"b":1}\n');
  assert.equal(headers['x-received'], '2');
});

test('an unknown page is 404', async () => {
  await client().get('/nowhere').expect(404, 'no page /nowhere\n');
});

test('each request is one line in combined format, and quotes are escaped', async () => {
  await client()
    .get('/slow?ms=0')
    .set('user-agent', 'a "b" \\')
    .set('referer', 'http://x/')
    .expect(200);
  const line = lines()[0] ?? '';
  assert.match(
    line,
    /^\S+ - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/slow\?ms=0 HTTP\/1\.1" 200 \d+ "http:\/\/x\/" "a \\x22b\\x22 \\x5C"$/,
  );
});

test('a byte that is not ASCII is escaped as the byte that arrived', () => {
  const request = {
    method: 'GET',
    url: '/\xe9',
    httpVersion: '1.1',
    headers: { referer: 'a\nb' },
    socket: { remoteAddress: '10.0.0.1' },
  };
  const response = { statusCode: 200, getHeader: () => 5 };
  assert.equal(
    combinedLine(request as never, response as never, new Date(Date.UTC(2026, 0, 2, 3, 4, 5))),
    '10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /\\xE9 HTTP/1.1" 200 5 "a\\x0Ab" "-"',
  );
});

test('a line that cannot be written is reported, and the response is complete', async () => {
  const errors: unknown[] = [];
  const full = new LogWriter('/dev/full', (error) => errors.push(error));
  const app = createApp({ static: undefined, maxBody: 1000, log: full });
  await supertest(app).get('/slow?ms=0').expect(200);
  await eventually(() => errors.length > 0, { what: 'a lost line' });
  assert.equal((errors[0] as NodeJS.ErrnoException).code, 'ENOSPC');
  full.close();
});

test('after a rename of the log file its path is opened again', async () => {
  await client().get('/a').expect(404);
  renameSync(logFile(), `${logFile()}.1`);
  log.write('after', Date.now() + 200);
  assert.deepEqual(lines(), ['after']);
});
