import { fileURLToPath } from 'node:url';
import { eventually, type ProcessOptions, TestProcess } from '@sidekit/test-kit';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** An IPC namespace of its own, as a Pod has, with the kernel's limit of a message raised. */
export interface Namespace extends AsyncDisposable {
  /** Starts `mq producer` or `mq consumer` in it. */
  mq(command: 'producer' | 'consumer', args: readonly string[], input?: string): TestProcess;
  /** Removes queues by their names without a slash; those that do not exist are ignored. */
  remove(...names: readonly string[]): Promise<unknown>;
}

/** Makes a namespace; needs root. */
export async function largeMessages(): Promise<Namespace> {
  const script = [
    'mount -t mqueue none /dev/mqueue',
    'echo 16777216 > /proc/sys/fs/mqueue/msgsize_max',
    'echo ready',
    'exec sleep infinity',
  ].join(' && ');
  const holder = new TestProcess('unshare', ['--ipc', '--mount', 'sh', '-c', script]);
  await eventually(() => holder.stdout.includes('ready'), { what: 'an IPC namespace' });
  const enter = (line: readonly string[], options?: ProcessOptions) =>
    new TestProcess('nsenter', ['-t', `${holder.child.pid}`, '--ipc', '--mount', ...line], options);
  return {
    mq: (command, args, input) => {
      const line = [process.execPath, MAIN, command, '--admin', '127.0.0.1:0', ...args];
      return enter(line, input === undefined ? {} : { input });
    },
    remove: (...names) => enter(['rm', '-f', ...names.map((name) => `/dev/mqueue/${name}`)]).exited,
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}
