import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { withArchive } from './images/archive.ts';
import { run } from './run.ts';

/** kind 0.32's node images of the last three Kubernetes minors, newest first. */
export const NODE_IMAGES: Readonly<Record<string, string>> = {
  '1.36':
    'kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5',
  '1.35':
    'kindest/node:v1.35.5@sha256:ce977ae6d65918d0b58a5f8b5e940429c2ce42fa3a5619ec2bbc60b949c0ac95',
  '1.34':
    'kindest/node:v1.34.8@sha256:02722c2dedddcfc00febf5d27fbeb9b7b2c14294c82109ff4a85d89ac9ba3256',
};

export interface KindOptions {
  readonly engine: 'docker' | 'podman';
  /** Limits that containers need on this machine, as flags of `run`: `--ulimit=nofile=1:1`. */
  readonly runFlags?: readonly string[];
  /** A configuration file of kind. */
  readonly config?: string | undefined;
  /** The directory for the kubeconfig and evidence; .cache/kind by default. */
  readonly directory?: string;
}

/** One cluster of kind, with a kubeconfig of its own: the user's contexts are left alone. */
export class KindCluster {
  readonly name = `sidekit-${process.pid}`;
  readonly kubeconfig: string;
  /** The directory for logs and events if something failed. */
  readonly evidence: string;
  readonly #engine: 'docker' | 'podman';
  readonly #config: string | undefined;
  readonly #env: Readonly<Record<string, string>>;

  constructor({ engine, runFlags = [], config, directory = '.cache/kind' }: KindOptions) {
    this.#engine = engine;
    this.#config = config;
    const folder = resolve(directory);
    mkdirSync(folder, { recursive: true });
    this.kubeconfig = join(folder, `${this.name}.kubeconfig`);
    this.evidence = join(folder, `${this.name}-evidence`);
    this.#env = {
      KIND_EXPERIMENTAL_PROVIDER: engine,
      KUBECONFIG: this.kubeconfig,
      ...limits(runFlags, join(folder, 'containers.conf')),
    };
  }

  /** The command that deletes the cluster. */
  get deletion(): string {
    return `KIND_EXPERIMENTAL_PROVIDER=${this.#engine} kind delete cluster --name ${this.name}`;
  }

  /** Creates it; its nodes stay if that fails, so that there is evidence. */
  async create(nodeImage: string): Promise<void> {
    const config = this.#config === undefined ? [] : ['--config', this.#config];
    const flags = ['--image', nodeImage, ...config, '--retain', '--wait', '180s'];
    await this.#kind(['create', 'cluster', ...flags]);
  }

  /** Loads images as an archive, which works with both engines. */
  async load(references: readonly string[]): Promise<void> {
    await withArchive(this.#engine, references, (archive) =>
      this.#kind(['load', 'image-archive', archive]),
    );
  }

  /** Saves as much as there is, readable for everyone: the cluster itself may have failed. */
  async saveEvidence(): Promise<void> {
    mkdirSync(this.evidence, { recursive: true });
    const keep = async (file: string, args: readonly string[]) => {
      const text = await run('kubectl', args, { env: this.#env }).catch(String);
      writeFileSync(join(this.evidence, file), text);
    };
    // Without a cluster there is no kubeconfig, and kubectl would ask a server of its own choice.
    if (existsSync(this.kubeconfig)) {
      await keep('events.txt', ['get', 'events', '-A', '--sort-by=.lastTimestamp']);
      await keep('pods.yaml', ['get', 'pods', '-A', '-o', 'yaml']);
    }
    await this.#kind(['export', 'logs', this.evidence]).catch((error: Error) =>
      writeFileSync(join(this.evidence, 'export-error.txt'), error.message),
    );
    makeReadable(this.evidence);
  }

  async delete(): Promise<void> {
    await this.#kind(['delete', 'cluster'], { detached: true }).catch((error: Error) => {
      throw new Error(`${error.message}\nDelete it yourself: ${this.deletion}`);
    });
    rmSync(this.kubeconfig, { force: true });
  }

  async #kind(args: readonly string[], options: { detached?: boolean } = {}): Promise<void> {
    await run('kind', [...args, '--name', this.name], { env: this.#env, ...options });
  }
}

/** Podman's configuration for callers that may not raise limits to those of its default. */
function limits(runFlags: readonly string[], file: string): Readonly<Record<string, string>> {
  const values = runFlags.flatMap((flag) => /^--ulimit=(.+)$/.exec(flag)?.[1] ?? []);
  if (values.length === 0) return {};
  writeFileSync(file, `[containers]\ndefault_ulimits = ${JSON.stringify(values)}\n`);
  return { CONTAINERS_CONF: file };
}

/** Logs of nodes are readable for root alone, and an upload may run as another user. */
function makeReadable(directory: string) {
  for (const path of globSync('**', { cwd: directory })) {
    const file = join(directory, path);
    chmodSync(file, statSync(file).isDirectory() ? 0o755 : 0o644);
  }
}
