import { randomBytes } from 'node:crypto';
import { eventually } from '@sidekit/test-kit';
import { command, must } from './command.ts';
import type { ApplyOptions, ExecResult } from './engine.ts';

/** A namespace that enforces a level of Pod Security; disposing it deletes it. */
export class TestNamespace implements AsyncDisposable {
  readonly name = `sidekit-${randomBytes(4).toString('hex')}`;

  static async create({
    security = 'restricted',
    labels: more = {},
  }: ApplyOptions = {}): Promise<TestNamespace> {
    const namespace = new TestNamespace();
    await must('kubectl', ['create', 'namespace', namespace.name]);
    try {
      // Of a workload that makes Pods only the Pods are refused, later; the request for it is
      // answered with a warning.
      const levels = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}`);
      const labels = levels.map((level) => `${level}=${security}`);
      labels.push(...Object.entries(more).map(([key, value]) => `${key}=${value}`));
      await must('kubectl', ['label', 'namespace', namespace.name, ...labels]);
      // Pods are refused until the namespace's ServiceAccount is there.
      const account = async () => (await namespace.kubectl(['get', 'sa', 'default'])).code === 0;
      await eventually(account, { what: 'the default ServiceAccount' });
      return namespace;
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
  }

  kubectl(args: readonly string[], input?: string): Promise<ExecResult> {
    const options = input === undefined ? {} : { input };
    return command('kubectl', ['-n', this.name, ...args], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await must('kubectl', ['delete', 'namespace', this.name, '--wait=false']);
  }
}
