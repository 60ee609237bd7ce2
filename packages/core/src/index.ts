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
export { type HttpRequest, type HttpResponse, send } from './io/http-client.ts';
export { listen } from './io/listen.ts';
export {
  type MemoryRoots,
  memoryLimit,
  type ShareOptions,
  sizeByMemory,
} from './io/memory-limit.ts';
export {
  findProcesses,
  type ProcessIdentity,
  parseSignal,
  type SignalOptions,
  sendSignal,
  signalByName,
} from './io/processes.ts';
export { isLoopback, type ProxyEnvironment, proxyAgent, proxyFor } from './io/proxy.ts';
export { PollingWatch, type WatchOptions } from './io/watch.ts';
export {
  AdminEndpoints,
  type GetHandler,
  type PostHandler,
  type PostOptions,
  type PostRequest,
  type PostResponse,
} from './observe/admin-endpoints.ts';
export { createAdminServer, startAdminServer } from './observe/admin-server.ts';
export {
  type Condition,
  Health,
  type HealthReport,
  type Probe,
  type Reason,
  type Warning,
} from './observe/health.ts';
export { keepHealthFile } from './observe/health-file.ts';
export {
  createLog,
  type Log,
  type LogFields,
  type LogLevel,
  type LogOptions,
  silentLog,
} from './observe/log.ts';
export {
  CONTENT_TYPES,
  type Counter,
  DURATION_BUCKETS,
  type Family,
  type Gauge,
  type Histogram,
  type MetricsFormat,
  type MetricType,
  negotiateFormat,
  Registry,
} from './observe/metrics.ts';
export { registerProcessMetrics } from './observe/process-metrics.ts';
export { writeStderr } from './observe/stderr.ts';
export { Watchdog, type WatchdogOptions } from './observe/watchdog.ts';
export * from './options/index.ts';
export { childEnvironment } from './sidecar/child-environment.ts';
export { endProcess, signalExitCode } from './sidecar/end-process.ts';
export { mainOf, type Run } from './sidecar/invoke.ts';
export { Lifecycle } from './sidecar/lifecycle.ts';
export { type Commands, main } from './sidecar/program.ts';
export { reportFailure } from './sidecar/report-failure.ts';
export { type Context, defineSidecar, runSidecar, type Sidecar } from './sidecar/sidecar.ts';
export { type BackoffOptions, fullJitter, pause, retryAfter } from './time/backoff.ts';
export { monotonic } from './time/monotonic.ts';
export { rfc3339 } from './time/rfc3339.ts';
export { throttle } from './time/throttle.ts';
export { version } from './version.ts';
