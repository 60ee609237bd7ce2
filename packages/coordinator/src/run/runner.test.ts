import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { EMPTY, type Journal, type JournalState } from '../journal/journal.ts';
import { readSequences } from '../testing/read-plan.ts';
import type { Observer } from './observer.ts';
import { Runner } from './runner.ts';

const quiet: Observer = {
  sequenceStarted: () => {},
  stepEnded: () => {},
  sequenceEnded: () => {},
  sequenceSkipped: () => {},
  journal: () => {},
  changed: () => {},
};
const http = (name: string, repeatable: boolean) => ({
  name,
  repeatable,
  http: { url: 'http://127.0.0.1:9/' },
});

/**
 * The world around a runner: a disk, and effects. A crash at an operation leaves everything as it
 * was at that instant, and nothing of the old process continues.
 */
class World {
  disk: JournalState = EMPTY;
  readonly effects: string[] = [];
  failing = new Set<string>();
  #operations = 0;
  #crashAt = Number.POSITIVE_INFINITY;
  #crashed: (() => void) | undefined;

  /** Runs a process until it is idle or the operation of that number crashes it. */
  async run(plan: ReturnType<typeof readSequences>['plan'], trigger: string[], crashAt: number) {
    this.#operations = 0;
    this.#crashAt = crashAt;
    const { promise: crashed, resolve } = Promise.withResolvers<'crashed'>();
    let dead = false;
    this.#crashed = () => {
      dead = true;
      resolve('crashed');
    };
    const operation = async () => {
      // A crashed process never continues.
      if (dead || ++this.#operations === this.#crashAt) {
        this.#crashed?.();
        await new Promise(() => {});
      }
    };
    const journal: Journal = {
      load: async () => this.disk,
      save: async (state) => {
        await operation();
        this.disk = structuredClone(state);
        await operation();
      },
    };
    const runner = new Runner({
      plan,
      journal,
      state: await journal.load(),
      perform: async (_step, { name }) => {
        await operation();
        this.effects.push(name);
        await operation();
        return this.failing.has(name) ? 'no' : undefined;
      },
      observer: quiet,
    });
    const work = (async () => {
      void runner.work();
      if (trigger.length > 0) await runner.trigger(trigger);
      await eventually(
        () => dead || (this.disk.run === undefined && this.disk.pending.length === 0),
        {
          what: 'an idle runner',
          interval: 0,
        },
      );
      await runner.stop([]);
      return 'idle' as const;
    })();
    return await Promise.race([work, crashed]);
  }
}

const steps = fc.array(fc.record({ repeatable: fc.boolean(), fails: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
});

test('after crashes anywhere, always steps ran and only repeatable steps ran twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }),
      async (given, always, crashes) => {
        const { plan, faults } = readSequences([
          {
            name: 'reload',
            when: [{ event: 'go' }],
            steps: given.map(({ repeatable }, i) => http(`s${i}`, repeatable)),
            always: Array.from({ length: always }, (_, i) => http(`a${i}`, true)),
          },
        ]);
        assert.deepEqual(faults, []);
        const world = new World();
        world.failing = new Set(given.flatMap(({ fails }, i) => (fails ? [`s${i}`] : [])));
        let trigger = ['reload'];
        for (const crashAt of [...crashes, Number.POSITIVE_INFINITY]) {
          await world.run(plan, trigger, crashAt);
          // The caller of a trigger that was not acknowledged tries again.
          const recorded = world.disk.run ?? world.disk.pending[0] ?? world.disk.last.reload;
          trigger = recorded === undefined ? ['reload'] : [];
        }
        assert.equal(world.disk.run, undefined);
        assert.ok(world.disk.last.reload);
        const count = (name: string) => world.effects.filter((one) => one === name).length;
        for (const [i, { repeatable }] of given.entries()) {
          if (!repeatable) assert.ok(count(`s${i}`) <= 1, `s${i} ran ${count(`s${i}`)} times`);
        }
        const lastStep = world.effects.findLastIndex((one) => one.startsWith('s'));
        for (let i = 0; i < always; i++) {
          assert.ok(world.effects.lastIndexOf(`a${i}`) > lastStep, `a${i} after every step`);
        }
        // The order of the plan, apart from what ran again.
        const first = [...new Set(world.effects)];
        assert.deepEqual(
          first,
          first.toSorted((a, b) => (a[0] === b[0] ? a.localeCompare(b) : a[0] === 's' ? -1 : 1)),
        );
      },
    ),
    propertyParameters(300),
  );
});

function inMemory(): { journal: Journal; state: () => JournalState } {
  let state = EMPTY;
  return {
    journal: {
      load: async () => state,
      save: async (next) => {
        state = next;
      },
    },
    state: () => state,
  };
}

test('triggers are coalesced, keep their order, and run one at a time; a stop drops them', async () => {
  const { plan } = readSequences(
    ['a', 'b', 'end'].map((name) => ({
      name,
      when: [{ event: name }],
      steps: [http(`${name}-step`, false)],
      always: [http(`${name}-always`, true)],
    })),
  );
  const { journal } = inMemory();
  const log: string[] = [];
  const gates = new Map<string, () => void>();
  const runner = new Runner({
    plan,
    journal,
    state: EMPTY,
    perform: (_step, { name }, { signal }) => {
      log.push(name);
      if (name !== 'b-step') return Promise.resolve(undefined);
      return new Promise((resolve) => {
        gates.set(name, () => resolve(undefined));
        signal.addEventListener('abort', () => resolve('stopped'), { once: true });
      });
    },
    observer: quiet,
  });
  await runner.trigger(['b']);
  const work = runner.work();
  await eventually(() => gates.has('b-step'), { what: 'b running' });
  for (const name of ['a', 'b', 'a', 'a']) await runner.trigger([name]);
  gates.get('b-step')?.();
  gates.clear();
  await eventually(() => gates.has('b-step'), { what: 'b running again' });
  assert.deepEqual(log, ['b-step', 'b-always', 'a-step', 'a-always', 'b-step']);
  await runner.trigger(['a']);
  await runner.stop(['end']);
  await work;
  assert.deepEqual(log.slice(5), ['b-always', 'end-step', 'end-always']);
});

test('a flood of one event while its sequence waits costs one write', async () => {
  const { plan } = readSequences([
    { name: 'a', when: [{ event: 'a' }], steps: [http('one', false)] },
  ]);
  let saves = 0;
  const runner = new Runner({
    plan,
    journal: { load: async () => EMPTY, save: async () => void saves++ },
    state: EMPTY,
    perform: async () => undefined,
    observer: quiet,
  });
  await Promise.all(Array.from({ length: 100 }, () => runner.trigger(['a'])));
  assert.equal(saves, 1);
  assert.equal(runner.pending, 1);
});

test('a journal that cannot be written begins no step, and always steps run all the same', async () => {
  const { plan } = readSequences([
    {
      name: 'a',
      when: [{ event: 'a' }],
      steps: [http('one', false), http('two', false)],
      always: [http('resume', true)],
    },
  ]);
  const { journal, state } = inMemory();
  const log: string[] = [];
  let full = false;
  let failure: string | undefined;
  const runner = new Runner({
    plan,
    journal: {
      load: journal.load,
      save: (state) => (full ? Promise.reject(new Error('ENOSPC')) : journal.save(state)),
    },
    state: EMPTY,
    perform: async (_step, { name }) => {
      log.push(name);
      full = true;
      return undefined;
    },
    observer: { ...quiet, journal: (given) => (failure = given) },
  });
  await runner.trigger(['a']);
  const work = runner.work();
  await eventually(() => log.includes('resume'), { what: 'the always part' });
  assert.deepEqual(log, ['one', 'resume']);
  // Once there is space, the end is recorded without a further trigger.
  full = false;
  await eventually(() => failure === undefined, { what: 'a journal that is written again' });
  assert.equal(state().run, undefined);
  assert.equal(state().last.a?.result, 'failed');
  full = true;
  await assert.rejects(runner.trigger(['a']), /ENOSPC/);
  assert.match(failure ?? '', /ENOSPC/);
  full = false;
  await eventually(() => failure === undefined, { what: 'a journal that is written again' });
  await runner.stop([]);
  await work;
});
