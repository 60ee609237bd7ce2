import { randomUUID } from 'node:crypto';
import { ExitCode, UsageError } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import { type FoundEngine, findEngine } from '../engine/find.ts';
import { loadInputs } from '../input/inputs.ts';
import type { Policy } from '../manifest/findings.ts';
import { inNamespace } from '../manifest/objects.ts';
import type { PodObject, Workload } from '../manifest/types.ts';
import { type ManifestFile, readWorkload } from '../manifest/workload.ts';
import { encodeData } from '../store/record.ts';
import { readArguments } from './arguments.ts';
import { Launch } from './launch.ts';
import type { NewRecord } from './pod-state.ts';
import { type Exposure, exposures, printAddresses, unmappedPorts } from './services.ts';
import type { Session } from './session.ts';
import { applyAndWatch, checkWatchable } from './watch.ts';

export const upHelp = `pod up FILE… [--engine docker|podman] [--timeout 60s] [--backoff-base 10s] [--foreground]
          [--watch] [--strict] [--unsupported warn|refuse] [--allow-host]
  Starts the Pods of the files and waits until each is Ready, or has completed if its
  restartPolicy is Never or OnFailure. FILE may also be a folder, - for stdin, or a URL
  (https, or http from this machine). Applied again, changed ConfigMaps and Secrets reach the
  running Pods, and a changed Pod is replaced. Ctrl-C ends the Pods; with --foreground also after
  they are Ready. --watch stays, and applies the files again when they change; a Pod whose image
  was built again is replaced, one that is no longer in the files is removed.
  Cluster-only kinds and scheduling fields are skipped with a note, with --strict refused. What
  else is not supported is refused; --unsupported=warn skips it with a note. hostPath, privileged,
  host namespaces and added capabilities need --allow-host, which is not for URLs.
  Exit codes: 0 Ready or completed, 69 not Ready in time, 70 failed, 64 invalid manifest or usage.
`;

const DEFAULT_TIMEOUT = 60_000;

/** Starts Pods, and follows them until they are Ready or have completed. */
export async function up(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, [
    'allow-host',
    'backoff-base',
    'engine',
    'filename',
    'foreground',
    'strict',
    'timeout',
    'unsupported',
    'watch',
  ]);
  const files = [...args.words, ...args.files];
  if (files.length === 0) {
    throw new UsageError([{ name: 'FILE', rule: 'is missing', remedy: 'pod up my-pod.yaml' }]);
  }
  if (args.has('watch')) checkWatchable(files);
  const policy: Policy = {
    strict: args.has('strict'),
    unsupported: args.text('unsupported') === 'warn' ? 'warn' : 'refuse',
    allowHost: args.has('allow-host'),
  };
  // The engine is detected while the files are read; if both fail, the files are reported.
  const answer = findEngine(session.search(args.text('engine')));
  answer.catch(() => {});
  const foreground = args.has('foreground') && !args.has('watch');
  const apply = async (manifests: readonly ManifestFile[], launch: Launch) => {
    const workload = readWorkload(manifests, policy);
    const engine = await answer;
    const exposureOf = await exposures(workload, session.store);
    const jobUidOf = jobUids();
    const records = workload.pods.map((pod) => ({
      ...recordOf(pod, workload, engine, exposureOf(pod), args.milliseconds('backoff-base')),
      jobUid: jobUidOf(pod),
    }));
    const code = await launch.run(records, workload.controllers, foreground);
    if (code !== ExitCode.ok) return code;
    for (const line of [...workload.notes, ...unmappedPorts(workload)]) session.print(line);
    printAddresses(launch.folders, session);
    return code;
  };
  const options = { timeout: args.milliseconds('timeout') ?? DEFAULT_TIMEOUT };
  if (args.has('watch')) {
    return applyAndWatch({
      inputs: files,
      session,
      engine: new Engine(await answer),
      options,
      apply,
    });
  }
  const manifests = await loadInputs(files);
  const launch = new Launch(session, options);
  const interrupted = new Promise<ExitCode>((resolve) => {
    let signals = 0;
    session.onSignal(() => launch.end(++signals === 1).then(resolve));
  });
  return (await Promise.race([apply(manifests, launch), interrupted])) ?? interrupted;
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
