export { createAdminServer, startAdminServer } from './admin-server.ts';
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
} from './atomic-file.ts';
export { type BackoffOptions, fullJitter, pause, retryAfter } from './backoff.ts';
export { childEnvironment } from './child-environment.ts';
export { endProcess, signalExitCode } from './end-process.ts';
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
export { reportFailure } from './failure.ts';
export { type Condition, Health, type HealthReport, type Probe, type Reason } from './health.ts';
export { keepHealthFile } from './health-file.ts';
export { type HttpRequest, type HttpResponse, send } from './http-client.ts';
export { mainOf, type Run } from './invoke.ts';
export { Lifecycle } from './lifecycle.ts';
export { listen } from './listen.ts';
export {
  createLog,
  type Log,
  type LogFields,
  type LogLevel,
  type LogOptions,
  silentLog,
} from './log.ts';
export {
  type Counter,
  DURATION_BUCKETS,
  type Family,
  type Gauge,
  type Histogram,
  Registry,
} from './metrics.ts';
export { monotonic } from './monotonic.ts';
export * from './options/index.ts';
export { registerProcessMetrics } from './process-metrics.ts';
export { type Commands, main } from './program.ts';
export { rfc3339 } from './rfc3339.ts';
export { type Context, defineSidecar, runSidecar, type Sidecar } from './sidecar.ts';
export { writeStderr } from './stderr.ts';
export { throttle } from './throttle.ts';
export { version } from './version.ts';
export { PollingWatch, type WatchOptions } from './watch.ts';
