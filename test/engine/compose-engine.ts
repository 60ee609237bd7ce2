import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { command, must } from './command.ts';
import { type ComposeContainer, type PodManifest, podStatus } from './compose-status.ts';
import type {
  ApplyOptions,
  ExecResult,
  HttpInit,
  HttpResult,
  PodStatus,
  Session,
  TestEngine,
} from './engine.ts';
import { BaseSession, request } from './session.ts';
import { pollingWatch, type Watch } from './watch.ts';

/**
 * Runs the profile of docker-compose.yml that stands for a manifest, on Docker. `COMPOSE` names
 * the program: `docker compose` (as without it) or `docker-compose`.
 */
export class ComposeEngine implements TestEngine {
  readonly name = 'compose';

  async isolatesStorage(): Promise<boolean> {
    return false;
  }

  async apply(path: string, options: ApplyOptions = {}): Promise<Session> {
    const session = new ComposeSession(path, options);
    try {
      await session.up();
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  }
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: PodManifest['spec'] & {
    readonly template?: { readonly spec: PodManifest['spec'] };
  };
}

/** The part of `docker inspect` that is read. */
interface Inspected {
  readonly Id: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly State: ComposeContainer['state'];
  readonly RestartCount: number;
  readonly NetworkSettings: { readonly Networks: ComposeContainer['networks'] };
}

class ComposeSession extends BaseSession {
  readonly #path: string;
  readonly #project = `sidekit-${randomBytes(4).toString('hex')}`;
  /** A copy of the compose file and what its services mount, which a test may change. */
  readonly #directory = mkdtempSync(join(tmpdir(), 'sidekit-compose-'));

  constructor(path: string, options: ApplyOptions) {
    super(path, options);
    this.#path = path;
    cpSync('docker-compose.yml', join(this.#directory, 'docker-compose.yml'));
    cpSync('manifests/compose', join(this.#directory, 'manifests/compose'), { recursive: true });
  }

  async up(): Promise<void> {
    await this.#compose(['up', '-d']);
  }

  async pods(): Promise<PodStatus[]> {
    const containers = await this.#containers();
    return this.#manifests()
      .filter(({ metadata }) => containers.has(metadata.name))
      .map((pod) => podStatus(pod, containers));
  }

  protected async readLog(name: string, container: string): Promise<string> {
    const { stdout, stderr } = await command('docker', ['logs', await this.#id(name, container)]);
    return stdout + stderr;
  }

  async allLogs(name: string): Promise<string> {
    const pod = this.#manifests().find(({ metadata }) => metadata.name === name);
    const { initContainers = [], containers = [] } = pod?.spec ?? {};
    const all = [...initContainers, ...containers].map((one) => this.readLog(name, one.name));
    return (await Promise.all(all)).join('');
  }

  watch(): Watch {
    return pollingWatch(() => this.pods());
  }

  async http(name: string, port: number, path: string, init?: HttpInit): Promise<HttpResult> {
    const { status } = await this.status(name);
    return request(`http://${status.podIP}:${port}`, path, init);
  }

  async exec(name: string, container: string, argv: readonly string[]): Promise<ExecResult> {
    return command('docker', ['exec', await this.#id(name, container), ...argv]);
  }

  /** Brings changed ConfigMaps to the running services, and starts what was removed. */
  async reapply(text: string): Promise<void> {
    const objects = parse(text);
    for (const { metadata, spec } of pods(objects)) {
      for (const { name, configMap } of spec.volumes ?? []) {
        const map = objects.find((one) => configMap && one.metadata.name === configMap.name);
        for (const [key, content] of Object.entries(map?.data ?? {})) {
          const path = join(this.#directory, 'manifests/compose', metadata.name, name, key);
          if (readFileSync(path, 'utf8') === content) continue;
          writeFileSync(`${path}.new`, content);
          renameSync(`${path}.new`, path);
        }
      }
    }
    await this.up();
  }

  async remove(name: string): Promise<void> {
    const containers = await this.#containers();
    const pod = this.#manifests().find(({ metadata }) => metadata.name === name);
    const ids = [...(pod?.spec.containers ?? []), ...(pod?.spec.initContainers ?? []).toReversed()]
      .map((container) => containers.get(`${name}-${container.name}`)?.id)
      .filter((id) => id !== undefined);
    const pause = containers.get(name)?.id;
    for (const id of pause ? [...ids, pause] : ids) {
      await must('docker', ['stop', '-t', '30', id]);
      await must('docker', ['rm', '-f', id]);
    }
  }

  async evidence(): Promise<string> {
    const parts = [];
    for (const [service, { id, state }] of await this.#containers()) {
      const { stdout, stderr } = await command('docker', ['logs', '--tail', '100', id]);
      parts.push(`--- ${service}: ${JSON.stringify(state)}\n${stdout}${stderr}`);
    }
    return `--- evidence for ${this.#path}\n${parts.join('\n')}`;
  }

  async delete(): Promise<void> {
    await this.#compose(['down', '--volumes', '--timeout', '5']);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #manifests(): PodManifest[] {
    return pods(parse(readFileSync(this.#path, 'utf8')));
  }

  /** The project's containers by the name of their service. */
  async #containers(): Promise<Map<string, ComposeContainer>> {
    const filter = `label=com.docker.compose.project=${this.#project}`;
    const ids = (await must('docker', ['ps', '-aq', '--filter', filter]))
      .split('\n')
      .filter(Boolean);
    if (ids.length === 0) return new Map();
    const { stdout } = await command('docker', ['inspect', ...ids]);
    const inspected: Inspected[] = JSON.parse(stdout);
    return new Map(
      inspected.map(({ Id: id, Config, State: state, RestartCount: restarts, NetworkSettings }) => [
        Config.Labels['com.docker.compose.service'] ?? '',
        { id, state, restarts, networks: NetworkSettings.Networks },
      ]),
    );
  }

  async #id(name: string, container: string): Promise<string> {
    const found = (await this.#containers()).get(`${name}-${container}`);
    if (!found) throw new Error(`no container ${container} of ${name}`);
    return found.id;
  }

  async #compose(words: readonly string[]): Promise<void> {
    const [program = '', ...first] = (process.env.COMPOSE ?? 'docker compose').split(' ');
    const file = join(this.#directory, 'docker-compose.yml');
    const profile = basename(this.#path, '.yaml');
    const options = ['-f', file, '-p', this.#project, '--profile', profile];
    await must(program, [...first, ...options, ...words], { timeout: 240_000 });
  }
}

function parse(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** The Pods of a manifest, and those of its workloads' templates. */
function pods(objects: readonly Manifest[]): PodManifest[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    if (kind === 'Pod' && spec) return { metadata, spec };
    return spec?.template ? { metadata, spec: spec.template.spec } : [];
  });
}
