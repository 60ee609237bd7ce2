import { eventually, type ProcessOptions, programFile, TestProcess } from '@sidekit/test-kit';

const MAIN = programFile(new URL('../main.ts', import.meta.url));

/** An IPC namespace of its own, as a Pod has, with the kernel's limit of a message raised. */
export interface Namespace extends AsyncDisposable {
  /** The command that runs the rest of its line in it. */
  readonly enter: readonly string[];
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
  const enter = ['nsenter', '-t', `${holder.child.pid}`, '--ipc', '--mount'] as const;
  const run = (line: readonly string[], options?: ProcessOptions) =>
    new TestProcess(enter[0], [...enter.slice(1), ...line], options);
  return {
    enter,
    mq: (command, args, input) => {
      const line = [process.execPath, MAIN, command, '--admin', '127.0.0.1:0', ...args];
      return run(line, input === undefined ? {} : { input });
    },
    remove: (...names) => run(['rm', '-f', ...names.map((name) => `/dev/mqueue/${name}`)]).exited,
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}
