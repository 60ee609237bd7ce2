import { join } from 'node:path';
import { temporaryDirectory, testEarlyStop } from '@sidekit/test-kit';

const directory = temporaryDirectory('early-stop');
process.once('exit', () => directory.remove());

testEarlyStop(new URL('../main.ts', import.meta.url), [
  ...['--include', join(directory.path, '*.log'), '--state', join(directory.path, 'state')],
  ...['--admin', '127.0.0.1:0'],
]);
