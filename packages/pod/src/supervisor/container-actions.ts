import { errorText } from '@sidekit/core/tool';
import type { Engine } from '../engine/engine.ts';
import type { ExitEvent } from '../engine/exit-events.ts';
import { podLabels } from '../engine/labels.ts';
import type { PodAction, PodEvent, Run } from '../lifecycle/types.ts';
import type { ContainerSpec } from '../manifest/types.ts';
import type { PodRecord } from '../store/record.ts';
import type { PodData } from '../volumes/files.ts';
import { carryOut } from './handlers/carry-out.ts';
import { hasEnded } from './handlers/exec.ts';
import type { HandlerOutcome } from './handlers/handler.ts';
import type { Launcher } from './launcher.ts';
import type { PodReport } from './pod-report.ts';
import type { Runs } from './runs.ts';
import type { Sandbox } from './sandbox.ts';

/** The Pod as it is at the moment: an update replaces its record, and a lost sandbox is renewed. */
export interface PodNow {
  readonly record: PodRecord;
  readonly data: PodData;
  readonly sandbox: Sandbox | undefined;
  /** The file that is every container's /etc/hosts. */
  readonly hosts: string;
}

interface Parts {
  readonly engine: Engine;
  readonly launcher: Launcher;
  readonly runs: Runs;
  readonly report: PodReport;
  readonly now: () => PodNow;
  readonly spec: (container: string) => ContainerSpec;
  /** Tells the state machine what has happened. */
  readonly dispatch: (event: PodEvent) => void;
}

const ENDED: HandlerOutcome = { result: 'error', message: 'the container has ended' };

/** Carries out what the state machine wants of containers, and reports how that went. */
export class ContainerActions {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async start({ container, attempt }: Run): Promise<void> {
    const { launcher, runs, report, dispatch } = this.#parts;
    const { record, data, sandbox, hosts } = this.#parts.now();
    const run = { container, attempt };
    const spec = this.#parts.spec(container);
    try {
      const started = await launcher.start(run, spec, {
        ...{ record, data },
        podIP: sandbox?.podIP ?? '',
        sandbox: sandbox ?? { id: '', name: '' },
        mounts: [
          { source: hosts, target: '/etc/hosts', readOnly: false },
          runs.messageMount(run, spec),
        ],
      });
      if (typeof started !== 'string') return dispatch({ type: 'startFailed', ...run, ...started });
      const early = runs.add(started, run);
      dispatch({ type: 'started', ...run, id: started });
      if (early) this.exited(early);
    } catch (error) {
      // Its program could not be started: Kubernetes counts that as a run that exits with 128.
      const message = errorText(error);
      report.note({ reason: 'Failed', container, message });
      dispatch({ type: 'exited', ...run, exitCode: 128, reason: 'StartError', message });
    }
    launcher.forgetOldRuns(run, podLabels(record));
  }

  async signal({ signal, ...run }: Extract<PodAction, { type: 'signal' }>): Promise<void> {
    const { launcher, runs, report } = this.#parts;
    const { container } = run;
    const image = launcher.images.get(this.#parts.spec(container).image);
    const sent = signal === 'SIGTERM' ? (image?.stopSignal ?? 'SIGTERM') : signal;
    report.note({ reason: 'Signal', container, message: `${sent} sent to ${container}` });
    try {
      await runs.signal(run, sent);
    } catch (error) {
      report.note({ reason: 'FailedKill', container, message: errorText(error) });
    }
  }

  async handle(action: Extract<PodAction, { type: 'hook' | 'probe' }>): Promise<void> {
    const { engine, runs, report, dispatch } = this.#parts;
    const { container, attempt, handler, timeout } = action;
    const id = runs.idOf(action);
    const { sandbox } = this.#parts.now();
    const target = {
      engine,
      container: this.#parts.spec(container),
      id: id ?? '',
      reach: sandbox?.reach ?? ((port: number) => ({ host: '127.0.0.1', port })),
      listens: sandbox?.listens ?? (() => undefined),
    };
    if (action.type === 'hook') {
      report.note({ reason: 'Hook', container, message: `${action.hook} hook of ${container}` });
    }
    let outcome: HandlerOutcome = id ? await carryOut(handler, target, timeout) : ENDED;
    const run = { container, attempt };
    if (action.type === 'hook') {
      const { result, message } = outcome;
      const ok = result === 'success';
      return dispatch({ type: 'hookDone', ...run, hook: action.hook, ok, message });
    }
    // The exit of a container decides, whatever a probe that raced with it returned.
    if (outcome.result === 'failure' && (await hasEnded(target).catch(() => false))) {
      outcome = ENDED;
    }
    dispatch({ type: 'probed', ...run, probe: action.probe, ...outcome });
  }

  /** Takes an exit that the engine has reported. */
  async exited(exit: ExitEvent): Promise<void> {
    const { runs, dispatch } = this.#parts;
    if (exit.id === this.#parts.now().sandbox?.id) return dispatch({ type: 'sandboxLost' });
    const run = runs.take(exit);
    if (!run) return;
    const ending = await runs.ending(exit, run, this.#parts.spec(run.container));
    dispatch({ type: 'exited', ...run, exitCode: exit.exitCode, ...ending });
  }
}
