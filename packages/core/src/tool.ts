/**
 * What a command-line tool needs of core: errors, units and names, without what serves, measures
 * and reads configuration files. A tool is started for each command, and each module costs it time.
 */
export { pause } from './backoff.ts';
export { childEnvironment } from './child-environment.ts';
export { endProcess, signalExitCode } from './end-process.ts';
export { ExitCode, ExpectedError, errorText, type Fault, UsageError } from './errors.ts';
export { reportFailure } from './failure.ts';
export { silentLog } from './log.ts';
export { nearest } from './options/nearest.ts';
export { duration } from './options/units.ts';
export { version } from './version.ts';
export { PollingWatch } from './watch.ts';
