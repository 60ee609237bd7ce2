import { ExitCode, ExpectedError, errorText } from '../errors.ts';
import { AdminEndpoints } from '../observe/admin-endpoints.ts';
import { startAdminServer } from '../observe/admin-server.ts';
import { Health } from '../observe/health.ts';
import { keepHealthFile } from '../observe/health-file.ts';
import { createLog, type Log, type LogLevel } from '../observe/log.ts';
import { Registry } from '../observe/metrics.ts';
import { registerHealthMetrics, registerProcessMetrics } from '../observe/process-metrics.ts';
import type { Address, OptionMap, OptionTable, OptionValues } from '../options/index.ts';
import type { Invocation } from '../options/resolve.ts';
import { version } from '../version.ts';
import { endProcess, signalExitCode } from './end-process.ts';
import { Lifecycle } from './lifecycle.ts';

/** The options that a sidecar's table must hold: those of `commonOptions`. */
interface CommonValues {
  readonly admin: Address;
  readonly healthFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly gracePeriod: number;
  /** Only of sidecars with POST endpoints: `adminTokenFile`. */
  readonly adminTokenFile?: string | undefined;
}

/** The context in which a sidecar runs. */
export interface Context<F extends OptionMap> {
  readonly options: OptionValues<F>;
  readonly operands: readonly string[];
  /** The path of the configuration file, if one was given. */
  readonly config: string | undefined;
  readonly log: Log;
  readonly health: Health;
  readonly metrics: Registry;
  /** Adds endpoints to the admin port. */
  readonly admin: AdminEndpoints;
  /** Aborts when the sidecar is asked to stop: take no new work, and let `run` end. */
  readonly stopping: AbortSignal;
  /** Resolves when the sidecar is asked to stop, also if that happened before anyone awaited it. */
  readonly stopped: Promise<void>;
  /** Adds a step of the stop; steps run in reverse order. */
  onStop(name: string, stop: () => unknown): void;
}

/** One command of a sidecar: its options, and what it does. */
export interface Sidecar<F extends OptionMap = OptionMap> {
  readonly table: OptionTable<F>;
  /**
   * Starts and works. Resolving ends the process with exit code 0 (the work is done);
   * a server awaits `stopped` instead. Rejecting ends it with the error's exit code, except
   * for the AbortError of work that was given `stopping` itself. That holds after SIGTERM too.
   *
   * After SIGTERM the steps of `onStop` run once this has resolved, so it must not wait for
   * what only such a step ends. Conditions of the startup probe are added before the first
   * `await`: the admin server answers already.
   */
  run(context: Context<F>): Promise<void>;
}

/** Names the type of a sidecar while keeping its options' own types. */
export function defineSidecar<const F extends OptionMap>(sidecar: Sidecar<F>): Sidecar<F> {
  return sidecar;
}

/** Runs one validated sidecar to its end and returns the exit code. */
export async function runSidecar<F extends OptionMap>(
  sidecar: Sidecar<F>,
  invocation: Extract<Invocation<F>, { kind: 'run' }>,
): Promise<ExitCode> {
  const common = invocation.values as CommonValues;
  const { command } = sidecar.table;
  const log = createLog({ name: command, level: common.logLevel });
  const health = new Health();
  const serving = health.condition('process', 'ready');
  // Before the first record: a signal may follow right after it.
  const signal = stopSignal(log, () => serving.fail('stopping'));
  endOnUncaught(log);
  log.info('starting', {
    event: 'starting',
    version,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
    options: invocation.changed,
    ...(invocation.config === undefined ? {} : { config: invocation.config }),
  });
  const lifecycle = new Lifecycle(log);
  const metrics = new Registry();
  registerProcessMetrics(metrics, command);
  registerHealthMetrics(metrics, health);

  const start = async () => {
    const endpoints = new AdminEndpoints(common.adminTokenFile);
    const admin = await startAdminServer(common.admin, health, metrics, endpoints);
    lifecycle.onStop('admin server', () => admin.close());
    log.debug('admin server listening', { event: 'admin_listening', port: admin.port });
    if (lifecycle.stopping.aborted) return;
    if (common.healthFile !== undefined) {
      lifecycle.onStop('health file', keepHealthFile(common.healthFile, health, log));
    }
    const work = sidecar.run({
      options: invocation.values,
      operands: invocation.operands,
      config: invocation.config,
      log,
      health,
      metrics,
      admin: endpoints,
      stopping: lifecycle.stopping,
      stopped: lifecycle.stopped,
      onStop: (name, stop) => lifecycle.onStop(name, stop),
    });
    logReadiness(health, log);
    serving.pass();
    await work;
  };

  let code: ExitCode = ExitCode.ok;
  try {
    const work = start();
    const outcome = await Promise.race([work.then(() => 'done' as const), signal.received]);
    if (outcome !== 'done') {
      // `run` sees the abort and ends by itself; then the steps undo what it started.
      lifecycle.onStop('work', () =>
        work.catch((error) => {
          // Work that a signal cut short may say how: an init container must not count as done.
          if (error instanceof ExpectedError) code = failure(error, log);
          else exceptAbort(error);
        }),
      );
    }
  } catch (error) {
    code = failure(error, log);
  }
  serving.fail('stopping');
  const good = await lifecycle.stop(common.gracePeriod);
  signal.dispose();
  if (code === ExitCode.ok && !good) code = ExitCode.internal;
  log.info('stopped', { event: 'stopped', code });
  return code;
}

/** Logs once that the sidecar is ready, when all conditions of `/readyz` hold for the first time. */
function logReadiness(health: Health, log: Log): void {
  const end = health.onChange(() => {
    if (health.report('ready').status !== 'ok') return;
    end();
    log.info('ready', { event: 'ready' });
  });
}

/** Logs what ended the sidecar: one sentence if the user can fix it, else with its stack. */
function failure(error: unknown, log: Log): ExitCode {
  if (error instanceof ExpectedError) {
    log.error(error.message);
    return error.exitCode;
  }
  log.error('unexpected error', {
    error: errorText(error),
    stack: error instanceof Error ? error.stack : undefined,
  });
  return ExitCode.internal;
}

function exceptAbort(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
}

/** Ends the process after an error that nobody caught: its state is unknown. */
function endOnUncaught(log: Log): void {
  process.on('uncaughtException', (error) => endProcess(failure(error, log)));
}

/** Resolves `received` at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(log: Log, onSignal: () => void) {
  const { promise: received, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let signals = 0;
  const handle = (signal: NodeJS.Signals) => {
    if (++signals > 1) endProcess(signalExitCode(signal));
    log.info('stopping', { event: 'stopping', signal });
    onSignal();
    resolve(signal);
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
  return {
    received,
    dispose: () => {
      process.off('SIGTERM', handle);
      process.off('SIGINT', handle);
    },
  };
}
