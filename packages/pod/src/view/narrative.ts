import type { Lane, Timeline, Wait } from './timeline.ts';

/** One sentence of a Pod's history. */
export interface Sentence {
  /** In milliseconds since the Pod began. */
  readonly at: number;
  readonly text: string;
}

/** Waits shorter than this are not worth a sentence, in milliseconds. */
const NOTICEABLE = 50;

/** Tells the history of a Pod in words, in the order of time, with the reason for every wait. */
export function narrate(timeline: Timeline, now: number): Sentence[] {
  const { begin, lanes, ticks } = timeline;
  const sentences: Sentence[] = ticks.map(({ at, text }) => ({ at, text }));
  for (const lane of lanes) {
    for (const wait of lane.waits) sentences.push(...waitSentence(lane, wait, now));
    sentences.push(...runSentences(lane, now));
  }
  return sentences
    .map(({ at, text }) => ({ at: at - begin, text }))
    .toSorted((a, b) => a.at - b.at);
}

function waitSentence({ name }: Lane, { from, to, why }: Wait, now: number): Sentence[] {
  if (to === undefined) {
    return [{ at: now, text: `${name} has waited ${span(now - from)} for ${why}` }];
  }
  return to - from < NOTICEABLE
    ? []
    : [{ at: to, text: `${name} waited ${span(to - from)} for ${why}` }];
}

function runSentences({ name, bars }: Lane, now: number): Sentence[] {
  return bars.flatMap(({ from, to, exitCode, segments, ticks }, run) => {
    const sentences: Sentence[] = [
      { at: from, text: run === 0 ? `${name} started` : `${name} started again (run ${run + 1})` },
    ];
    const starting = segments.find(({ state }) => state === 'starting');
    if (starting) {
      const end = starting.to ?? to ?? now;
      sentences.push({ at: end, text: `${name} took ${span(end - from)} to start` });
    }
    const ready = segments.find(({ state }) => state === 'ready');
    if (ready && ready.from > from) {
      sentences.push({
        at: ready.from,
        text: `${name} became ready after ${span(ready.from - from)}`,
      });
    }
    for (const { at, kind, text } of ticks) {
      if (kind !== 'passed') sentences.push({ at, text: `${name}: ${text}` });
    }
    if (to !== undefined) {
      const code = exitCode === undefined ? '' : ` with ${exitCode}`;
      sentences.push({ at: to, text: `${name} exited${code} after ${span(to - from)}` });
    }
    return sentences;
  });
}

/** A length of time in words: `12 ms`, `1.9 s`, `3 min 12 s`. */
export function span(ms: number): string {
  if (ms < 100) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
