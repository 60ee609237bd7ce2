import { join } from 'node:path';
import { defineSidecar, errorText, writeFileAtomic } from '@sidekit/core';
import { FileJournal } from './journal/journal.ts';
import { Leadership } from './lead/leadership.ts';
import { type Metrics, registerMetrics } from './metrics.ts';
import { table } from './options.ts';
import { performer } from './run/perform.ts';
import { observer } from './run/report.ts';
import { Runner } from './run/runner.ts';
import { StopGate } from './run/stop-gate.ts';
import { leadershipTrigger } from './trigger/leadership.ts';
import { OBSERVED } from './trigger/observed-key.ts';
import { sequencesWith, startTriggers } from './trigger/triggers.ts';

/** Runs the plan until SIGTERM, then its stop sequences. */
export const coordinator = defineSidecar({
  table,
  async run(context) {
    const { options, log, health, admin, stopped } = context;
    const { sequences: plan, participants } = options;
    const started = health.condition('plan', 'startup', 'ready');
    let metrics: Metrics | undefined;
    const state = stateFile(
      join(options.stateDir, 'state.json'),
      () => shown(),
      (error) => log.warn('the state file was not written', { event: 'state_not_written', error }),
    );
    const gate = new StopGate({
      participants,
      gather: options.stopGather,
      stop: () => {
        log.info('all participants stop', { event: 'pod_stopping' });
        void stop();
      },
      alone: (names) =>
        log.info('participants restart alone', { event: 'participants_restart', names }),
    });
    const journal = new FileJournal(options.stateDir, log);
    const observe = observer(context, () => (metrics ??= register()), state.changed);
    const register = () => registerMetrics(context.metrics, () => runner.pending);
    const runner = new Runner({
      plan,
      journal,
      state: await journal.load(),
      perform: performer((name) => gate.letStop(name), log),
      observer: observe,
      term: () => leadership?.term,
    });
    metrics ??= register();
    const leadership =
      options.leadership &&
      new Leadership(options.leadership, context, (term) => leadershipChanged(term));
    const leadershipChanged = leadershipTrigger(plan, runner, context);
    const stop = async () => {
      gate.begin();
      await runner.stop(sequencesWith(plan, (one) => one.stop === true));
      gate.open();
    };
    const shown = () => ({
      ...runner.state,
      ...(leadership ? { leadership: leadership.state } : {}),
    });
    admin.page('/state', shown);
    if (leadership) {
      admin.get('/leader', () => ({
        status: leadership.term ? 200 : 404,
        body: leadership.state,
      }));
    }
    for (const name of participants) admin.get(`/stop/${name}`, () => gate.ask(name));
    // What a crash has left comes first; the triggers wait for their turn behind it.
    const work = runner.work();
    await startTriggers(plan, { runner, context, log });
    // A term that a crash ended is over.
    if (runner.observed(OBSERVED) === 'gained') await leadershipChanged(undefined);
    await leadership?.start();
    started.pass();
    observe.journal(undefined);
    await Promise.race([stopped, work]);
    await stopped;
    await stop();
    await work;
    // Until here it led on: the stop sequences may be work of the leader.
    await leadership?.stop();
    await state.written();
  },
});

/** Keeps a file equal to a state, one write at a time. */
function stateFile(path: string, state: () => object, failed: (error: string) => void) {
  let writing = Promise.resolve();
  let waiting = false;
  return {
    changed: () => {
      if (waiting) return;
      waiting = true;
      writing = writing.then(async () => {
        waiting = false;
        const text = `${JSON.stringify(state(), null, 2)}\n`;
        await writeFileAtomic(path, text, { fsync: false }).catch((error) =>
          failed(errorText(error)),
        );
      });
    },
    written: () => writing,
  };
}
