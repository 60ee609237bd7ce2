import { h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { PodView, Sample } from '../src/view/model.ts';
import { type Chart, chartsOf, type History } from './measures.ts';

/** Between two readings, in milliseconds. */
const INTERVAL = 2000;
/** Readings that are kept: ten minutes. */
const KEEP = 300;

export interface MetricsProps {
  readonly pod: PodView;
  readonly container: string | undefined;
}

/** Live charts of what the Pod's containers use and its sidecars measure. */
export function MetricsPane({ pod, container }: MetricsProps) {
  const [history, setHistory] = useState<History>([]);
  useEffect(() => {
    let over = false;
    const read = async () => {
      const response = await fetch(`sample?pod=${encodeURIComponent(pod.name)}`);
      const samples: readonly Sample[] = response.ok ? await response.json() : [];
      if (!over) setHistory((before) => [...before, { at: Date.now(), samples }].slice(-KEEP));
    };
    const retry = () => read().catch(() => {});
    retry();
    const timer = setInterval(retry, INTERVAL);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [pod.name]);
  const charts = chartsOf(history).filter(
    (chart) => container === undefined || chart.container === container,
  );
  if (charts.length === 0) {
    return h(
      'p',
      { class: 'empty' },
      'No container runs, or serves metrics on a port named admin….',
    );
  }
  return h(
    'div',
    { class: 'metrics' },
    charts.map((chart) => {
      const { limits, requests } =
        pod.containers.find(({ name }) => name === chart.container) ?? {};
      const resource = chart.resource;
      const bound =
        resource &&
        [
          requests?.[resource] && `request ${requests[resource]}`,
          limits?.[resource] && `limit ${limits[resource]}`,
        ]
          .filter(Boolean)
          .join(', ');
      return h(
        'figure',
        { key: `${chart.container} ${chart.title}` },
        h(
          'figcaption',
          null,
          h('b', null, chart.container),
          ` ${chart.title} `,
          h('output', null, chart.latest),
          bound && h('small', null, ` ${bound}`),
        ),
        h(LineChart, { chart }),
      );
    }),
  );
}

function LineChart({ chart }: { readonly chart: Chart }) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const ink = style.getPropertyValue('--muted');
    const axis = {
      stroke: ink,
      grid: { stroke: style.getPropertyValue('--line') },
      ticks: { show: false },
    };
    plot.current = new uPlot(
      {
        width: element.clientWidth,
        height: 120,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
        axes: [
          { ...axis, values: clock, space: 80 },
          { ...axis, size: 56 },
        ],
        series: [{}, { stroke: style.getPropertyValue('--ready'), width: 2 }],
      },
      [[...chart.times], [...chart.values]],
      element,
    );
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: 120 }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData([[...chart.times], [...chart.values]]), [chart]);
  return h('div', { class: 'plot', ref: frame });
}

function clock(_plot: uPlot, instants: readonly number[]): string[] {
  return instants.map((at) => new Date(at * 1000).toTimeString().slice(0, 8));
}
