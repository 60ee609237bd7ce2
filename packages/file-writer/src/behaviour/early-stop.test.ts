import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testEarlyStop } from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'early-stop-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const common = ['--admin=127.0.0.1:0', `--target=${join(directory, 'target')}`];

// A server that accepts connections and never responds: the first check is still pending.
const silent = createServer(() => {}).listen(0, '127.0.0.1');
await once(silent, 'listening');
silent.unref();
const port = (silent.address() as AddressInfo).port;

testEarlyStop(main, [...common, '--source=clock']);
testEarlyStop(main, [...common, '--source=dir', `--from=${join(directory, 'missing')}`]);
testEarlyStop(main, [...common, '--source=http', `--url=http://127.0.0.1:${port}/x`]);
