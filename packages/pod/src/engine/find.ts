import { existsSync } from 'node:fs';
import { ExpectedError, errorText, UnavailableError, UsageError } from '@sidekit/core/tool';
import { Unwritable } from '../store/unwritable.ts';
import { EngineApi } from './api.ts';
import { dockerSocket } from './docker-socket.ts';
import { ensurePodmanService } from './podman-service.ts';
import { checkUserNamespace } from './user-ids.ts';

export type EngineName = 'docker' | 'podman';

/** An engine that answers on this machine. */
export interface FoundEngine {
  readonly name: EngineName;
  readonly socket: string;
  /** The version of Docker's API that both sides speak, such as `1.41`. */
  readonly version: string;
  /** It runs in a user namespace of this user. */
  readonly rootless: boolean;
  /** This machine reaches containers by their own addresses. */
  readonly direct: boolean;
}

export interface EngineSearch {
  /** The requested engine. */
  readonly wanted: string | undefined;
  /** The socket on which Podman's service is started if necessary. */
  readonly podmanSocket: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The latest version of Docker's API that pod was written for, and the earliest. */
const LATEST = 1.51;
const EARLIEST = 1.4;

/**
 * Finds the engine: the requested one, else Docker if its server answers, else Podman.
 * @throws {UsageError} for an unknown name, {UnavailableError} if no engine answers,
 * {Unwritable} if that of Podman's socket is full, for one.
 */
export async function findEngine({ wanted, ...search }: EngineSearch): Promise<FoundEngine> {
  if (wanted !== undefined && wanted !== 'docker' && wanted !== 'podman') {
    throw new UsageError([{ name: '--engine', value: wanted, rule: 'must be docker or podman' }]);
  }
  const reasons: string[] = [];
  for (const name of wanted ? [wanted] : (['docker', 'podman'] as const)) {
    try {
      return name === 'docker' ? await findDocker(search) : await findPodman(search);
    } catch (error) {
      if (error instanceof Unwritable) throw error;
      reasons.push(`${name}: ${errorText(error)}`);
    }
  }
  throw new UnavailableError(
    wanted
      ? `${reasons.join('; ')}: start or install it, or use the other engine`
      : `no container engine answers: install Docker or Podman (${reasons.join('; ')})`,
  );
}

async function findDocker({ environment }: Omit<EngineSearch, 'wanted'>): Promise<FoundEngine> {
  const socket = dockerSocket(environment);
  const api = new EngineApi(socket);
  const ping = await api.open('GET', '/_ping');
  ping.resume();
  if (ping.headers['libpod-api-version'] !== undefined) {
    throw new ExpectedError(`${socket} is Podman's: use --engine podman`);
  }
  const version = negotiate(String(ping.headers['api-version'] ?? ''));
  const info = await api.call('GET', `/v${version}/info`);
  const rootless = (info?.SecurityOptions ?? []).some((one: string) => /name=rootless/.test(one));
  const desktop = process.platform !== 'linux' || info?.OperatingSystem === 'Docker Desktop';
  return { name: 'docker', socket, version, rootless, direct: !rootless && !desktop };
}

/** @throws {ExpectedError} for a server that is too old. */
function negotiate(server: string): string {
  const [major = 0, minor = 0] = server.split('.').map(Number);
  const value = major + minor / 100;
  if (!(value >= EARLIEST)) {
    throw new ExpectedError(`its API ${server || '(unknown)'} is older than 1.40 (Docker 19.03)`);
  }
  return value < LATEST ? server : String(LATEST);
}

async function findPodman({ podmanSocket }: Omit<EngineSearch, 'wanted'>): Promise<FoundEngine> {
  const linux = process.platform === 'linux';
  const rootless = linux && process.getuid?.() !== 0;
  if (!isInstalled()) throw new ExpectedError('it is not installed');
  if (rootless) checkUserNamespace();
  await ensurePodmanService(podmanSocket);
  return {
    name: 'podman',
    socket: podmanSocket,
    version: '1.40',
    rootless,
    direct: linux && !rootless,
  };
}

function isInstalled(): boolean {
  return ['/usr/bin', '/usr/local/bin', '/opt/podman/bin', '/opt/homebrew/bin', '/bin'].some(
    (folder) => existsSync(`${folder}/podman`),
  );
}
