import { after } from 'node:test';
import { testEarlyStop } from '@sidekit/test-kit';
import { testQueue } from '../testing/programs.ts';

const MAIN = new URL('../main.ts', import.meta.url);
const admin = ['--admin', '127.0.0.1:0'];

const queue = testQueue();
after(() => queue[Symbol.asyncDispose]());
testEarlyStop(MAIN, ['consumer', ...admin, '--queue', queue.name]);
testEarlyStop(MAIN, ['producer', ...admin, '--queue', queue.name, '--source', 'stdin']);
