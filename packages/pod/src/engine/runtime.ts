import { readFileSync } from 'node:fs';

/** The program that runs a container (OCI runtime), as the container's monitor calls it. */
export interface Runtime {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Variables that decide where a runtime keeps its state. */
const OWN = ['PATH', 'XDG_RUNTIME_DIR', 'HOME'];

/**
 * Finds the runtime of a Podman container: the parent of its first process is its monitor, conmon(8),
 * whose command line names it. Only runc is found: crun hands its own stdio to the command, and a
 * command cannot open a socket again as /dev/stdout.
 * @param pid of the container's first process; undefined is returned unless it is one of this machine.
 */
export function runtimeOf(container: string, pid: number): Runtime | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const monitor = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
    const words = readFileSync(`/proc/${monitor}/cmdline`, 'utf8').split('\0');
    const after = (flag: string) => words[words.indexOf(flag, 1) + 1];
    const program = after('-r') ?? '';
    if (after('-c') !== container || !program.endsWith('/runc')) return undefined;
    const variables = readFileSync(`/proc/${monitor}/environ`, 'utf8')
      .split('\0')
      .map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)] as const);
    return { program, environment: Object.fromEntries(variables.filter(([k]) => OWN.includes(k))) };
  } catch {
    return undefined;
  }
}
