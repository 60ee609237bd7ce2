/**
 * The part of core that a command-line tool needs: errors, units and names, without what serves, measures
 * and reads configuration files. A tool is started for each command, and each module costs it time.
 */

export {
  ExitCode,
  ExpectedError,
  errorText,
  type Fault,
  shownFaults,
  UnavailableError,
  UsageError,
  violationText,
  visible,
} from './errors.ts';
export { PollingWatch } from './io/watch.ts';
export { silentLog } from './observe/log.ts';
export { readValue } from './options/type.ts';
export { duration } from './options/units.ts';
export { nearest } from './schema/nearest.ts';
export { childEnvironment } from './sidecar/child-environment.ts';
export { endProcess, signalExitCode } from './sidecar/end-process.ts';
export { reportFailure } from './sidecar/report-failure.ts';
export { pause } from './time/backoff.ts';
export { LONGEST_TIMER } from './time/timer.ts';
export { version } from './version.ts';
