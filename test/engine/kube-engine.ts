import { spawn } from 'node:child_process';
import { eventually } from '@sidekit/test-kit';
import { command, must } from './command.ts';
import type {
  ApplyOptions,
  ExecResult,
  HttpInit,
  HttpResult,
  PodStatus,
  TestEngine,
} from './engine.ts';
import { TestNamespace } from './namespace.ts';
import { BaseSession, request } from './session.ts';
import { PodWatch } from './watch.ts';

/**
 * Runs Pods on the cluster of the current kubectl context, where the images must be loaded. Each
 * session has a namespace of its own.
 */
export class KubeEngine implements TestEngine {
  readonly name = 'kube';

  async isolatesStorage(): Promise<boolean> {
    const [node] = JSON.parse(await must('kubectl', ['get', 'nodes', '-o', 'json'])).items;
    const path = `/api/v1/nodes/${node.metadata.name}/proxy/configz`;
    const { kubeletconfig } = JSON.parse(await must('kubectl', ['get', '--raw', path]));
    return kubeletconfig.localStorageCapacityIsolation !== false;
  }

  async apply(path: string, options: ApplyOptions = {}): Promise<KubeSession> {
    const { name } = await TestNamespace.create(options);
    const session = new KubeSession(path, name, options);
    try {
      await must('kubectl', ['apply', '-n', name, '-f', path]);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  }
}

/** A session with what only a cluster has. */
export class KubeSession extends BaseSession {
  readonly namespace: string;

  constructor(path: string, namespace: string, options: ApplyOptions) {
    super(path, options);
    this.namespace = namespace;
  }

  async pods(): Promise<PodStatus[]> {
    return JSON.parse(await this.kubectl(['get', 'pods', '-o', 'json'])).items;
  }

  protected async readLog(name: string, container: string): Promise<string> {
    const { metadata } = await this.status(name);
    return this.kubectl(['logs', metadata.name, '-c', container]);
  }

  async allLogs(name: string): Promise<string> {
    const { metadata, status } = await this.status(name);
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const logs = all.map(
      async (container) =>
        // One that never ran has no log.
        (await this.#kubectl(['logs', metadata.name, '-c', container.name])).stdout,
    );
    return (await Promise.all(logs)).join('\n');
  }

  watch(): PodWatch {
    const words = ['-n', this.namespace, 'get', 'pods', '-w', '-o', 'json'];
    return new PodWatch('kubectl', words, process.env);
  }

  async http(name: string, port: number, path: string, init?: HttpInit): Promise<HttpResult> {
    const { metadata } = await this.status(name);
    const forward = spawn(
      'kubectl',
      ['port-forward', '-n', this.namespace, `pod/${metadata.name}`, `:${port}`],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    forward.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    try {
      const local = await eventually(() => /127\.0\.0\.1:(\d+)/.exec(output)?.[1], {
        what: `a port forward to ${name}:${port}`,
      });
      return await request(`http://127.0.0.1:${local}`, path, init);
    } finally {
      forward.kill();
    }
  }

  async exec(name: string, container: string, argv: readonly string[]): Promise<ExecResult> {
    const { metadata } = await this.status(name);
    return this.#kubectl(['exec', metadata.name, '-c', container, '--', ...argv]);
  }

  async reapply(text: string): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], text);
  }

  async remove(name: string): Promise<void> {
    const { metadata } = await this.status(name);
    await this.kubectl(['delete', 'pod', metadata.name, '--wait']);
  }

  async evidence(): Promise<string> {
    const parts = [
      (await this.#kubectl(['get', 'pods', '-o', 'wide'])).stdout,
      (await this.#kubectl(['get', 'events', '--sort-by=.lastTimestamp'])).stdout,
    ];
    for (const { metadata } of await this.pods()) {
      const { stdout, stderr } = await this.#kubectl([
        'logs',
        metadata.name,
        '--all-containers',
        '--prefix',
      ]);
      parts.push(stdout, stderr);
    }
    return `--- evidence of namespace ${this.namespace}\n${parts.join('\n')}`;
  }

  async delete(): Promise<void> {
    await command('kubectl', ['delete', 'namespace', this.namespace, '--wait=false']);
    await command('kubectl', [
      'delete',
      'pods',
      '--all',
      '-n',
      this.namespace,
      '--grace-period=1',
      '--wait',
    ]);
  }

  /** Runs kubectl in the namespace; it must succeed. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    const options = input === undefined ? {} : { input };
    return must('kubectl', ['-n', this.namespace, ...args], options);
  }

  #kubectl(args: readonly string[]): Promise<ExecResult> {
    return command('kubectl', ['-n', this.namespace, ...args]);
  }
}
