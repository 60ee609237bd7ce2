export {
  ExitCode,
  ExpectedError,
  errorText,
  type Fault,
  faultText,
  UnavailableError,
  UsageError,
  withoutPasswords,
} from './errors.ts';
export {
  type AtomicFileOptions,
  type Chunks,
  type FileSystem,
  isTemporaryOf,
  type Owner,
  replaceFile,
  syncDirectory,
  TEMPORARY_PREFIX,
  temporaryPath,
  writeFileAtomic,
  writeNewFile,
} from './io/atomic-file.ts';
export { freeBytes } from './io/free-bytes.ts';
export { Gathered } from './io/gathered.ts';
export { type HttpResponse, send } from './io/http-client.ts';
export { kubernetesServer, SERVICE_ACCOUNT } from './io/kubernetes.ts';
export { listen } from './io/listen.ts';
export { sizeByMemory } from './io/memory-limit.ts';
export { parseSignal, signalByName } from './io/processes.ts';
export { proxyAgent, proxyFor } from './io/proxy.ts';
export { Sha256 } from './io/sha256.ts';
export { readSmallFile } from './io/small-file.ts';
export { splitUser } from './io/url-user.ts';
export { PollingWatch } from './io/watch.ts';
export type { PostRequest, PostResponse } from './observe/admin-endpoints.ts';
export { type Condition, Health, type Probe, type Warning } from './observe/health.ts';
export { createLog, type Log, type LogLevel, silentLog } from './observe/log.ts';
export {
  type Counter,
  DURATION_BUCKETS,
  type Family,
  type Gauge,
  type Histogram,
  type MetricType,
  Registry,
} from './observe/metrics.ts';
export { writeStderr } from './observe/stderr.ts';
export { Watchdog } from './observe/watchdog.ts';
export * from './options/index.ts';
export { mainOf, type Run } from './sidecar/invoke.ts';
export { main } from './sidecar/program.ts';
export { type Context, defineSidecar, type Sidecar } from './sidecar/sidecar.ts';
export { fullJitter, pause, retryAfter } from './time/backoff.ts';
export { monotonic } from './time/monotonic.ts';
export { rfc3339 } from './time/rfc3339.ts';
export { throttle } from './time/throttle.ts';
