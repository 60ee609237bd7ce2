import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from './contestants.ts';
import type { Scenario } from './scenarios.ts';

export interface Round {
  /** Requests a second. */
  readonly rate: number;
  /** Microseconds of the proxy's CPU time a request, user and system. */
  readonly cpu: number;
}

/** Loads each contestant in turn, `rounds` times after a short one that warms up. */
export function compare(
  contestants: readonly Contestant[],
  scenario: Scenario,
  { rounds, seconds, directory }: { rounds: number; seconds: number; directory: string },
): Map<string, Round[]> {
  const results = new Map<string, Round[]>();
  for (let round = -1; round < rounds; round++) {
    for (const { name, ports, pid } of contestants) {
      const port = ports[scenario.port];
      const wanted = name === 'nginx' || name === 'ambassador' || scenario.peers.includes(name);
      if (port === undefined || !wanted) continue;
      const length = round < 0 ? 1 : seconds * (scenario.longer ?? 1);
      const before = cpuTicks(pid);
      const { requests, rate } = (scenario.streams ? h2load : wrk)(
        port,
        scenario,
        length,
        directory,
      );
      const cpu = ((cpuTicks(pid) - before) * 10_000) / requests;
      if (round < 0) continue;
      if (!requests) throw new Error(`${name} answered nothing in ${length} s of ${scenario.name}`);
      results.set(name, [...(results.get(name) ?? []), { rate, cpu }]);
    }
  }
  return results;
}

function wrk(
  port: number,
  { connections, path, script }: Scenario,
  seconds: number,
  directory: string,
) {
  const args = ['-c', '1', 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`];
  if (script !== undefined) args.push('-s', join(directory, script));
  const text = execFileSync('taskset', [...args, `http://127.0.0.1:${port}${path}`], {
    encoding: 'utf8',
  });
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  if (/Non-2xx|(?:connect|read|write) [1-9]/.test(text))
    throw new Error(`requests failed:\n${text}`);
  return { requests, rate };
}

function h2load(
  port: number,
  { connections, streams, path, port: kind }: Scenario,
  seconds: number,
  directory: string,
) {
  const call = ['-d', join(directory, 'call'), '-H', 'content-type: application/grpc'];
  const args = [
    ...['-c', '1', 'h2load', '-t1', `-c${connections}`, `-m${streams}`, `-D${seconds}`],
    ...(kind === 'grpc' ? [...call, '-H', 'te: trailers'] : []),
  ];
  const text = execFileSync('taskset', [...args, `http://127.0.0.1:${port}${path}`], {
    encoding: 'utf8',
  });
  const [, requests, failed, errored] =
    /(\d+) done, .* (\d+) failed, (\d+) errored/.exec(text)?.map(Number) ?? [];
  const succeeded = Number(/status codes: (\d+) 2xx/.exec(text)?.[1]);
  if (requests === undefined || failed !== 0 || errored !== 0 || succeeded < requests)
    throw new Error(`requests failed:\n${text}`);
  return { requests, rate: requests / seconds };
}

/** User and system time of a process so far, in hundredths of a second. */
export function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Resident memory of a process, in KiB. */
export function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
