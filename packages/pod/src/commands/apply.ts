import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { ExitCode } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import type { FoundEngine } from '../engine/find.ts';
import { loadInputs } from '../input/inputs.ts';
import type { Policy } from '../manifest/findings.ts';
import { inNamespace } from '../manifest/objects.ts';
import type { PodObject, Workload } from '../manifest/types.ts';
import { type ManifestFile, readWorkload } from '../manifest/workload.ts';
import { PortClaims } from '../store/port-claims.ts';
import { encodeData } from '../store/record.ts';
import type { WaitingSupervisor } from '../supervisor/detach.ts';
import { printAddresses } from './addresses.ts';
import type { Arguments } from './arguments.ts';
import { Launch } from './launch.ts';
import type { NewRecord } from './pod-state.ts';
import { PortChooser } from './port-chooser.ts';
import { type Exposure, exposures, unmappedPorts } from './services.ts';
import type { Session } from './session.ts';
import { applyAndWatch, checkWatchable } from './watch.ts';

const DEFAULT_TIMEOUT = 60_000;

/** Holds what starts while the program is loaded. */
export interface Preparation {
  readonly engine: Promise<FoundEngine>;
  /** Returns a supervisor that has no Pod yet, if there is one. */
  readonly waiting: () => WaitingSupervisor | undefined;
}

/** Applies the manifests of `up`, once or again whenever they change. */
export async function applyInputs(
  inputs: readonly string[],
  args: Arguments,
  { engine, waiting }: Preparation,
  session: Session,
): Promise<ExitCode> {
  if (args.has('watch')) checkWatchable(inputs);
  const policy: Policy = {
    strict: args.has('strict'),
    unsupported: args.text('unsupported') === 'warn' ? 'warn' : 'refuse',
    allowHost: args.has('allow-host'),
  };
  const foreground = args.has('foreground') && !args.has('watch');
  const apply = async (manifests: readonly ManifestFile[], launch: Launch) => {
    const workload = readWorkload(manifests, policy);
    const found = await engine;
    using claims = new PortClaims(session.store.ports);
    const exposureOf = await exposures(workload, new PortChooser(session.store, claims));
    const jobUidOf = jobUids();
    const records = workload.pods.map((pod) => ({
      ...recordOf(pod, workload, found, exposureOf(pod), args.milliseconds('backoff-base')),
      jobUid: jobUidOf(pod),
    }));
    const code = await launch.run(records, workload.controllers, foreground);
    if (code !== ExitCode.ok) return code;
    const notes = [...workload.notes, ...unmappedPorts(workload), ...unlimited(workload, found)];
    for (const line of notes) session.print(line);
    printAddresses(launch.folders, session);
    return code;
  };
  const options = { timeout: args.milliseconds('timeout') ?? DEFAULT_TIMEOUT };
  if (args.has('watch')) {
    return applyAndWatch({
      inputs,
      session,
      engine: new Engine(await engine),
      options,
      apply,
    });
  }
  const manifests = await loadInputs(inputs);
  const launch = new Launch(session, { ...options, waiting });
  const interrupted = new Promise<ExitCode>((resolve) => {
    let signals = 0;
    session.onSignal(() => launch.end(++signals === 1).then(resolve));
  });
  return (await Promise.race([apply(manifests, launch), interrupted])) ?? interrupted;
}

/** Says that limits of CPU and memory have no effect (cgroups(7): v1 cannot be delegated to a user). */
function unlimited({ pods }: Workload, { rootless }: FoundEngine): string[] {
  const limited = pods.some(({ spec }) =>
    [...spec.initContainers, ...spec.containers].some(
      ({ resources: { limits } }) => limits.cpu !== undefined || limits.memory !== undefined,
    ),
  );
  if (!limited || !rootless || existsSync('/sys/fs/cgroup/cgroup.controllers')) return [];
  return [
    'note: limits of CPU and memory have no effect: this machine has cgroup v1, on which the containers of an ordinary user have none; run pod as root, or use cgroup v2',
  ];
}

/** Returns one uid for all Pods of a Job. */
function jobUids(): (pod: PodObject) => string {
  const uids = new Map<string, string>();
  return ({ owner, metadata: { name, namespace } }) => {
    const job = `${owner?.kind} ${namespace}/${owner?.name ?? name}`;
    const uid = uids.get(job) ?? randomUUID();
    uids.set(job, uid);
    return uid;
  };
}

function recordOf(
  pod: PodObject,
  workload: Workload,
  engine: FoundEngine,
  exposure: Exposure,
  backoffBase: number | undefined,
): Omit<NewRecord, 'jobUid'> {
  const { namespace } = pod.metadata;
  return {
    pod,
    uid: randomUUID(),
    createdAt: Date.now(),
    jobBegunAt: Date.now(),
    engine,
    configMaps: encodeData(inNamespace(workload.configMaps, namespace)),
    secrets: encodeData(inNamespace(workload.secrets, namespace)),
    ...exposure,
    ...(backoffBase === undefined ? {} : { backoffBase }),
  };
}
