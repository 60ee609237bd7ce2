import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
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

/** One cluster of kind, with a kubeconfig of its own: the user's contexts are left alone. */
export class KindCluster {
  readonly name = `sidekit-${process.pid}`;
  readonly kubeconfig: string;
  /** The directory for logs and events if something failed. */
  readonly evidence: string;
  readonly #engine: 'docker' | 'podman';
  readonly #directory: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(engine: 'docker' | 'podman', directory = '.cache/kind') {
    this.#engine = engine;
    this.#directory = resolve(directory);
    this.kubeconfig = join(this.#directory, `${this.name}.kubeconfig`);
    this.evidence = join(this.#directory, `${this.name}-evidence`);
    this.#env = { KIND_EXPERIMENTAL_PROVIDER: engine, KUBECONFIG: this.kubeconfig };
    mkdirSync(this.#directory, { recursive: true });
  }

  async create(nodeImage: string): Promise<void> {
    await this.#kind(['create', 'cluster', '--image', nodeImage, '--wait', '180s']);
  }

  /** Loads images as an archive, which works with both engines. */
  async load(references: readonly string[]): Promise<void> {
    // Podman names what it built localhost/…; the nodes look for docker.io/….
    const full = references.map((reference) => `docker.io/${reference}`);
    for (const [i, reference] of references.entries()) {
      if (this.#engine === 'podman') await run('podman', ['tag', reference, full[i] ?? '']);
    }
    const archive = join(this.#directory, `${this.name}.tar`);
    const names = this.#engine === 'podman' ? ['--multi-image-archive', ...full] : references;
    try {
      await run(this.#engine, ['save', '-o', archive, ...names]);
      await this.#kind(['load', 'image-archive', archive]);
    } finally {
      rmSync(archive, { force: true });
    }
  }

  /** Saves as much as can be had: what failed may be the cluster itself. */
  async saveEvidence(): Promise<void> {
    mkdirSync(this.evidence, { recursive: true });
    const keep = async (file: string, args: readonly string[]) => {
      const text = await run('kubectl', args, { env: this.#env }).catch(String);
      writeFileSync(join(this.evidence, file), text);
    };
    await keep('events.txt', ['get', 'events', '-A', '--sort-by=.lastTimestamp']);
    await keep('pods.yaml', ['get', 'pods', '-A', '-o', 'yaml']);
    await this.#kind(['export', 'logs', this.evidence]).catch((error: Error) =>
      writeFileSync(join(this.evidence, 'export-error.txt'), error.message),
    );
  }

  async delete(): Promise<void> {
    await this.#kind(['delete', 'cluster'], { detached: true }).catch((error: Error) => {
      throw new Error(
        `${error.message}\nDelete it yourself: KIND_EXPERIMENTAL_PROVIDER=${this.#engine} kind delete cluster --name ${this.name}`,
      );
    });
    rmSync(this.kubeconfig, { force: true });
  }

  async #kind(args: readonly string[], options: { detached?: boolean } = {}): Promise<void> {
    await run('kind', [...args, '--name', this.name], { env: this.#env, ...options });
  }
}
