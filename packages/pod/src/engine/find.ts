import { existsSync, readFileSync } from 'node:fs';
import { ExpectedError, UsageError } from '@sidekit/core/tool';
import { command } from './command.ts';
import { checkUserNamespace } from './user-ids.ts';

export type EngineName = 'docker' | 'podman';

/** An engine that answers, and the flags that its `run` needs on this machine. */
export interface FoundEngine {
  readonly name: EngineName;
  readonly runFlags: readonly string[];
  /** It runs in a user namespace of this user. */
  readonly rootless: boolean;
}

/**
 * Finds the engine: the requested one, else Docker if its server answers, else Podman.
 * @throws {UsageError} for an unknown name, {ExpectedError} if no engine answers.
 */
export async function findEngine(wanted?: string): Promise<FoundEngine> {
  if (wanted !== undefined && !isEngine(wanted)) {
    throw new UsageError([{ name: '--engine', value: wanted, rule: 'must be docker or podman' }]);
  }
  for (const name of wanted ? [wanted] : (['docker', 'podman'] as const)) {
    if (await answers(name))
      return name === 'podman' ? podman() : { name, runFlags: [], rootless: false };
  }
  throw new ExpectedError(
    wanted
      ? `${wanted} does not answer: start or install it, or use the other engine`
      : 'no container engine answers: install Docker or Podman',
  );
}

function podman(): FoundEngine {
  const rootless = process.getuid !== undefined && process.getuid() !== 0;
  if (rootless && process.platform === 'linux') checkUserNamespace();
  return { name: 'podman', runFlags: [...podmanRuntime(), ...podmanLimits()], rootless };
}

function isEngine(name: string): name is EngineName {
  return name === 'docker' || name === 'podman';
}

/** A Docker client without a server is installed on some machines: only a server counts. */
async function answers(name: EngineName): Promise<boolean> {
  const args = name === 'docker' ? ['version', '--format', '{{.Server.Version}}'] : ['--version'];
  return command(name, args, { timeout: 10_000 }).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** crun refuses hybrid control groups (v1 with a v2 tree next to it): runc takes them. */
function podmanRuntime(): string[] {
  const hybrid = existsSync('/sys/fs/cgroup/unified') && existsSync('/sys/fs/cgroup/memory');
  const runc = ['/usr/bin/runc', '/usr/sbin/runc', '/usr/local/bin/runc'].find((path) =>
    existsSync(path),
  );
  return hybrid && runc ? ['--runtime=runc'] : [];
}

/**
 * Podman requests 1,048,576 files and processes, which root without CAP_SYS_RESOURCE may not
 * raise; limits within the caller's own always work.
 */
function podmanLimits(): string[] {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return [];
  }
  const hard = (name: string) =>
    Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? 1_048_576);
  const files = hard('Max open files');
  if (files >= 1_048_576) return [];
  const processes = Math.min(hard('Max processes'), 16_384);
  return [`--ulimit=nofile=${files}:${files}`, `--ulimit=nproc=${processes}:${processes}`];
}
