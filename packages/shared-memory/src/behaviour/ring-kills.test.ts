import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, later, type TestProcess } from '@sidekit/test-kit';
import { RingProducer, Segment, unlinkSegment } from '../index.ts';
import { startScript } from '../testing/processes.ts';
import { BATCH, Score, SEEN } from '../testing/score.ts';

/**
 * Two producers and a consumer, each in a process that is killed again and again at random
 * instants. They keep score in a segment of their own, which survives them.
 */
const LONG = process.env.SIDEKIT_LONG === '1';
const KILLS = LONG ? 200 : 4;
const RECORDS = LONG ? 1_000_000 : 20_000;
const PRODUCERS = 2;
/** The most records of one producer. */
const MOST = LONG ? 8_000_000 : 1_000_000;

const player = fileURLToPath(new URL('../testing/player.ts', import.meta.url));

interface Player {
  readonly role: string;
  process: TestProcess;
}

for (const mode of ['at-least-once', 'at-most-once'] as const) {
  test(`${KILLS} kills on either side with ${RECORDS} records, ${mode}`, async () => {
    const name = `/sidekit-kills-${process.pid}-${mode}`;
    const scores = `${name}-score`;
    (await RingProducer.open({ name, create: true })).close();
    using segment = await Segment.open({
      name: scores,
      create: true,
      size: SEEN + PRODUCERS * MOST,
    });
    const words = new Int32Array(segment.buffer, 0, SEEN / 4);
    const start = (role: string) =>
      startScript(
        `await (await import(${JSON.stringify(player)})).play(shm, process.argv.slice(1))`,
        [...[mode, name, scores, role, `${MOST}`]],
      );
    const players: Player[] = ['consumer', '0', '1'].map((role) => ({
      role,
      process: start(role),
    }));
    try {
      for (let kills = 0; kills < KILLS; kills++) {
        const victim = players[Math.floor(Math.random() * players.length)]!;
        const moves = victim.role === 'consumer' ? Score.consumed : Score.progress + +victim.role;
        const before = Atomics.load(words, moves);
        const moved = eventually(() => Atomics.load(words, moves) !== before, {
          what: `progress of ${victim.role} after ${kills} kills`,
        });
        // Who has ended by itself makes no progress, and has said why.
        const ended = victim.process.exited.then(({ code }) => {
          throw new Error(`${victim.role} ended with ${code}: ${victim.process.stderr}`);
        });
        await Promise.race([moved, ended]);
        ended.catch(() => {});
        later(() => victim.process.kill('SIGKILL'), Math.random() * 20);
        assert.equal((await victim.process.exited).signal, 'SIGKILL', victim.process.stderr);
        victim.process = start(victim.role);
      }
      await eventually(() => Atomics.load(words, Score.consumed) >= RECORDS, {
        what: `${RECORDS} records: ${players.map((one) => one.process.stderr).join('')}`,
        timeout: 600_000,
      });
      Atomics.store(words, Score.stop, 1);
      for (const { role, process } of players.toReversed()) {
        assert.equal((await process.exited).code, 0, `${role}: ${process.stderr}`);
        if (role === '0') Atomics.store(words, Score.drain, 1);
      }
      judge(mode, words, new Uint8Array(segment.buffer, SEEN));
    } finally {
      for (const { process } of players) await process[Symbol.asyncDispose]();
      unlinkSegment(name);
      unlinkSegment(scores);
    }
  });
}

function judge(mode: 'at-least-once' | 'at-most-once', words: Int32Array, seen: Uint8Array) {
  assert.equal(words[Score.faults], 0, 'torn or unordered records');
  let lost = 0;
  let repeated = 0;
  for (let producer = 0; producer < PRODUCERS; producer++) {
    const sent = words[Score.progress + producer]!;
    assert.ok(sent > 0 && sent < MOST);
    for (let i = 0; i < sent; i++) {
      const times = seen[producer * MOST + i]!;
      if (times === 0) lost++;
      if (times > 1) repeated++;
    }
    // A producer that was killed after a batch may not have noted it.
    const rest = seen.subarray(producer * MOST + sent + BATCH, (producer + 1) * MOST);
    assert.ok(
      rest.every((times) => times === 0),
      'records that nobody sent',
    );
  }
  if (mode === 'at-least-once') assert.equal(lost, 0, 'lost records');
  else assert.equal(repeated, 0, 'repeated records');
  // The uncertain part of one kill is a batch at most.
  assert.ok(lost + repeated <= KILLS * 2 * BATCH, `${lost} lost, ${repeated} repeated`);
}
