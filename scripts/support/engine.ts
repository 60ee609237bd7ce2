import { existsSync, readFileSync } from 'node:fs';
import { ensureDebianPackages, PODMAN_PACKAGES } from './debian.ts';
import { succeeds } from './run.ts';
import { Usage } from './usage.ts';

/** A container engine that works here, and how to call it. */
export interface ContainerEngine {
  readonly name: 'docker' | 'podman';
  /** Additional flags that `run` and `create` need on this machine. */
  readonly runFlags: readonly string[];
}

/**
 * Finds Docker or Podman, or, on Debian as root, installs Podman.
 * @param wanted the engine asked for; without it Docker is preferred where its server answers.
 * @throws Error with one line that says what to install.
 */
export async function findEngine(wanted?: string): Promise<ContainerEngine> {
  if (wanted !== undefined && wanted !== 'docker' && wanted !== 'podman') {
    throw new Usage(`--engine ${wanted} is not an engine: write docker or podman`);
  }
  if (wanted !== 'podman' && (await dockerAnswers())) return { name: 'docker', runFlags: [] };
  if (wanted === 'docker') {
    throw new Error('no Docker server answers: start it, or use --engine podman');
  }
  if (!(await succeeds('podman', ['--version']))) {
    if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
      throw new Error('no container engine: install Docker or Podman and try again');
    }
    await ensureDebianPackages(PODMAN_PACKAGES, 'a container engine');
  }
  return { name: 'podman', runFlags: await podmanFlags() };
}

function dockerAnswers(): Promise<boolean> {
  // A client without a server is installed on some machines; only a server counts.
  return succeeds('docker', ['version', '--format', '{{.Server.Version}}']);
}

/**
 * Podman asks for limits of 1,048,576 files and processes, which root without CAP_SYS_RESOURCE
 * may not raise; limits within the caller's own always work.
 */
async function podmanFlags(): Promise<string[]> {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = (name: string) =>
    Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? 1_048_576);
  const files = hard('Max open files');
  if (files >= 1_048_576) return [];
  const processes = Math.min(hard('Max processes'), 16_384);
  return [`--ulimit=nofile=${files}:${files}`, `--ulimit=nproc=${processes}:${processes}`];
}
