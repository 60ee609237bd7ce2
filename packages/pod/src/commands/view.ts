import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { childEnvironment, ExitCode, ExpectedError } from '@sidekit/core/tool';
import { type Arguments, readArguments } from './arguments.ts';
import { selectPod } from './select.ts';
import type { Session } from './session.ts';

export const viewHelp = `pod view [POD…] [--kube [-n NAMESPACE]] [--port PORT]
  Shows Pods live on a page of 127.0.0.1, at the URL that is printed; those of the current kubectl
  context with --kube. Ctrl-C ends it.
`;

export async function view(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['kube', 'namespace', 'port']);
  const [{ createKeys, createViewServer }, source] = await Promise.all([
    import('../view/server.ts'),
    args.has('kube') ? kubeSource(args) : localSource(args.words, session),
  ]);
  const keys = createKeys();
  const server = createViewServer(source, keys);
  const failed = once(server, 'error').then(([error]) => {
    throw new ExpectedError(`the page cannot be served: ${error.message}`);
  });
  server.listen(args.number('port') ?? 0, '127.0.0.1');
  await Promise.race([once(server, 'listening'), failed]);
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}/?token=${keys.token}`;
  session.print(url);
  if (session.terminal.live) open(url, session);
  await new Promise<void>((resolve) => session.onSignal(resolve));
  source.close();
  server.close();
  server.closeAllConnections();
  return ExitCode.ok;
}

async function localSource(names: readonly string[], { store }: Session) {
  const { LocalSource } = await import('../view/local-source.ts');
  return new LocalSource(
    store,
    names.map((name) => selectPod(store, name).name),
  );
}

async function kubeSource(args: Arguments) {
  const [{ KubeSource }, { currentNamespace }] = await Promise.all([
    import('../view/kube/source.ts'),
    import('../view/kube/api.ts'),
  ]);
  const source = new KubeSource(args.text('namespace') ?? (await currentNamespace()), args.words);
  await source.start();
  return source;
}

/** Opens the page in the user's browser if there is a desktop. */
function open(url: string, { environment }: Session): void {
  if (!environment.DISPLAY && !environment.WAYLAND_DISPLAY) return;
  const child = spawn('xdg-open', [url], {
    env: childEnvironment({}),
    stdio: 'ignore',
    detached: true,
  });
  child.once('error', () => {});
  child.unref();
}
