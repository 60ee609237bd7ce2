import {
  brokenConfiguration,
  changedWhileDown,
  killedGitServer,
  killedWriter,
  pushedCommit,
} from './scenes/files.ts';
import {
  deadReceiver,
  killedAdapter,
  killedReceiver,
  malformedMetric,
  rotatedLog,
} from './scenes/logs.ts';
import {
  greedyProcess,
  killedNativeSidecar,
  killedSidecar,
  killedWorker,
  lateServices,
  tamperedData,
} from './scenes/order.ts';
import {
  recordOnItsWay,
  restartedNeighbour,
  restartedOutside,
  restartedService,
  restartedUpstream,
} from './scenes/proxies.ts';
import { killedConsumer, killedConsumerOfRing, killedHolder } from './scenes/queues.ts';
import type { Scene } from './scenes/scene.ts';

/** The faults of one Pod of the demo. */
export interface Stage {
  /** Brings the Pod up with a fault in its start. */
  readonly start?: Scene;
  /** Faults in the running Pod, one after another. */
  readonly faults?: readonly Scene[];
  /** A fault in a copy of the Pod, at the same time: the Pod itself ends before one could be caused. */
  readonly copy?: Scene;
}

/** The faults of each Pod. Those of message-queue are those of message-queue-at-least-once. */
export const STAGES: Readonly<Record<string, Stage>> = {
  adapter: { faults: [rotatedLog, killedAdapter] },
  'adapter-otlp': { faults: [deadReceiver] },
  ambassador: { faults: [restartedUpstream] },
  'ambassador-egress': { faults: [restartedOutside] },
  'config-reload': { faults: [brokenConfiguration] },
  coordination: { faults: [killedNativeSidecar] },
  coordinator: { faults: [killedWorker] },
  'data-loader': { start: tamperedData },
  everything: { faults: [recordOnItsWay] },
  'git-sync': { faults: [pushedCommit, killedGitServer] },
  grpc: { faults: [restartedService] },
  'job-with-sidecar': { start: killedSidecar },
  'message-queue-at-least-once': { copy: killedConsumer },
  'monitoring-adapter': { faults: [malformedMetric] },
  'multi-port': { faults: [restartedNeighbour] },
  'reload-by-signal': { faults: [changedWhileDown] },
  resources: { faults: [greedyProcess] },
  semaphore: { start: killedHolder },
  'shared-memory': { copy: killedConsumerOfRing },
  'shared-volume': { faults: [killedWriter] },
  syslog: { faults: [killedReceiver] },
  'wait-for': { start: lateServices },
};
