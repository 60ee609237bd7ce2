import type { Sample } from '../src/view/model.ts';

export type History = readonly { readonly at: number; readonly samples: readonly Sample[] }[];

export interface Chart {
  readonly container: string;
  readonly title: string;
  /** The last value in words. */
  readonly latest: string;
  /** The resource whose request and limit stand next to it. */
  readonly resource?: 'cpu' | 'memory' | undefined;
  /** In seconds since 1970. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

type Values = Readonly<Record<string, number>>;

interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly resource?: 'cpu' | 'memory';
  /** Undefined if the container does not measure it. */
  readonly value: (now: Values, before: Values, seconds: number) => number | undefined;
}

const rate = (name: string) => (now: Values, before: Values, seconds: number) =>
  now[name] === undefined || before[name] === undefined
    ? undefined
    : Math.max(0, now[name] - before[name]) / seconds;
const level = (name: string) => (now: Values) => now[name];

const MEASURES: readonly Measure[] = [
  { title: 'requests per second', unit: '/s', value: rate('requests') },
  { title: 'failed requests per second', unit: '/s', value: rate('failures') },
  {
    title: 'mean latency',
    unit: 'ms',
    value: (now, before) => {
      const count = (now.requests ?? 0) - (before.requests ?? 0);
      if (now.requestSeconds === undefined || before.requestSeconds === undefined) return undefined;
      return count > 0 ? ((now.requestSeconds - before.requestSeconds) / count) * 1000 : 0;
    },
  },
  { title: 'lines per second', unit: '/s', value: rate('lines') },
  { title: 'unread bytes', unit: 'B', value: level('lagBytes') },
  { title: 'drops per second', unit: '/s', value: rate('drops') },
  { title: 'records per second', unit: '/s', value: rate('records') },
  { title: 'queue depth', unit: '', value: level('queueDepth') },
  {
    title: 'age of the content',
    unit: 's',
    value: (now) => (now.lastSuccess ? Date.now() / 1000 - now.lastSuccess : undefined),
  },
  { title: 'sequences per second', unit: '/s', value: rate('sequences') },
  {
    title: 'memory',
    unit: 'MiB',
    resource: 'memory',
    value: (now) => now.memoryBytes && now.memoryBytes / 2 ** 20,
  },
  {
    title: 'CPU',
    unit: 'm',
    resource: 'cpu',
    value: (now, before, seconds) => {
      const cores = rate('cpuSeconds')(now, before, seconds);
      return cores === undefined ? undefined : cores * 1000;
    },
  },
];

/** Turns readings into one chart for each thing that a container measures. */
export function chartsOf(history: History): Chart[] {
  const containers = history.at(-1)?.samples.map(({ container }) => container) ?? [];
  return containers.flatMap((container) =>
    MEASURES.flatMap(({ title, unit, resource, value }) => {
      const points = history.flatMap(({ at, samples }, i) => {
        const now = samples.find((one) => one.container === container)?.values;
        const earlier = history[i - 1];
        const before = earlier?.samples.find((one) => one.container === container)?.values;
        const seconds = earlier ? (at - earlier.at) / 1000 : 1;
        const y = now && value(now, before ?? {}, seconds);
        return y === undefined ? [] : [[at / 1000, y] as const];
      });
      const last = points.at(-1);
      if (!last) return [];
      const latest = `${short(last[1])}${unit && ` ${unit}`}`;
      const [times, values] = [points.map(([at]) => at), points.map(([, y]) => y)];
      return [{ container, title, latest, resource, times, values }];
    }),
  );
}

function short(value: number): string {
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(2);
}
