import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestProcess } from '@sidekit/test-kit';
import { queueBytes } from '../limits.ts';
import { PosixMQ, unlinkQueue } from '../queue.ts';
import { explainOpen } from './explain.ts';

const INDEX = JSON.stringify(fileURLToPath(new URL('../index.ts', import.meta.url)));
const attempt = { name: '/q', maxmsgs: 10, msgsize: 1024 };

/** Runs a program as another user, for whom nothing is left of root's rights. */
function as(uid: number, source: string): TestProcess {
  const program = `const { PosixMQ, unlinkQueue } = await import(${INDEX});\n${source}`;
  return new TestProcess(process.execPath, ['--input-type=module', '--eval', program], {
    uid,
    gid: uid,
  });
}

test('a queue of another user is refused with its owner and mode', async () => {
  const name = `/sidekit-test-${process.pid}-owned`;
  using queue = await PosixMQ.open({ name, create: true, mode: 0o640 });
  try {
    await using other = as(
      54_321,
      `await PosixMQ.open({ name: '${name}' }).catch((error) => console.log(error.message));`,
    );
    await other.exited;
    assert.equal(
      other.stdout,
      `queue ${name} may not be opened by UID 54321, it belongs to UID 0 with mode 0640 (mq_open: EACCES): create it with a wider mode, or run both sides with one runAsUser or group\n`,
      other.stderr,
    );
  } finally {
    queue.unlink();
  }
});

test('a byte budget that is used up is explained, and says what it is shared with', async () => {
  const uid = 50_000 + (process.pid % 10_000);
  await using other = as(
    uid,
    `const queues = [];
     try {
       for (let i = 0; ; i++) {
         queues.push(await PosixMQ.open({ name: '/sidekit-test-${process.pid}-b' + i, create: true, msgsize: 8192 }));
       }
     } catch (error) {
       console.log(queues.length, error.code, error.message);
     } finally {
       for (const queue of queues) queue.unlink();
     }`,
  );
  assert.deepEqual(await other.exited, { code: 0, signal: null }, other.stderr);
  const count = Math.floor(819_200 / queueBytes(10, 8192));
  assert.equal(
    other.stdout,
    `${count} EMFILE queue /sidekit-test-${process.pid}-b${count} of 10 × 8192 B needs 82880 B, more than is left of the 819200 B that all queues of UID ${uid} share on this node (RLIMIT_MSGQUEUE) (mq_open: EMFILE): remove unused queues, make them smaller, or give the Pod its own runAsUser\n`,
  );
});

test('a kernel without queues is named, as gVisor is', () => {
  assert.match(
    explainOpen('ENOSYS', attempt).message,
    /^queue \/q cannot be opened, this kernel has no POSIX message queues \(mq_open: ENOSYS\): .*gVisor/,
  );
});

test('an errno without words of its own is still named', () => {
  const error = explainOpen('EIO', attempt);
  assert.deepEqual([error.code, error.errno, error.syscall], ['EIO', 5, 'mq_open']);
  assert.equal(error.message, 'queue /q cannot be opened (mq_open: EIO)');
});

test('importing works on any platform, and the first use elsewhere says what is needed', async () => {
  await using program = new TestProcess(process.execPath, [
    '--input-type=module',
    '--eval',
    `Object.defineProperty(process, 'platform', { value: 'darwin' });
     const { PosixMQ } = await import(${INDEX});
     await PosixMQ.open({ name: '/q' }).catch((error) => console.log(error.code, error.message));`,
  ]);
  await program.exited;
  assert.match(program.stdout, /^ENOSYS queue \/q cannot be opened on darwin, only Linux has/);
});

test('removing a queue that is not there is no error', async () => {
  assert.equal(await unlinkQueue(`/sidekit-test-${process.pid}-absent`), false);
});
