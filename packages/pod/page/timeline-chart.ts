import { h } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { PodView } from '../src/view/model.ts';
import { narrate, span } from '../src/view/narrative.ts';
import type { Lane } from '../src/view/timeline.ts';
import { exportSvg } from './export-svg.ts';

const LANE = 34;
const BAR = 14;
const TOP = 8;
const AXIS = 22;
/** The chart is redrawn this often while the Pod runs, in milliseconds. */
const REFRESH = 500;
/** Sentences shown at once. */
const MAX_SENTENCES = 200;

export interface TimelineProps {
  readonly pod: PodView;
  readonly selected: string | undefined;
  readonly onSelect: (name: string) => void;
}

/** The history of a Pod: a bar for each run of a container, with ticks for probes, hooks and signals. */
export function TimelineChart({ pod, selected, onSelect }: TimelineProps) {
  const { timeline, ended } = pod;
  const [now, setNow] = useState(Date.now());
  const [width, setWidth] = useState(800);
  const frame = useRef<HTMLDivElement>(null);
  const picture = useRef<SVGSVGElement>(null);
  useEffect(() => {
    if (ended) return;
    const timer = setInterval(() => setNow(Date.now()), REFRESH);
    return () => clearInterval(timer);
  }, [ended]);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 800));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const end = ended ? lastInstant(pod) : Math.max(now, lastInstant(pod));
  const longest = Math.max(...timeline.lanes.map(({ name }) => name.length), 4);
  const left = Math.min(Math.max(70, longest * 7.2), width * 0.3);
  const right = width - 12;
  const x = (at: number) =>
    left + ((at - timeline.begin) / Math.max(1, end - timeline.begin)) * (right - left);
  const height = TOP + timeline.lanes.length * LANE + AXIS;
  const sentences = narrate(timeline, end);
  return h(
    'section',
    { class: 'timeline', 'aria-label': 'Timeline' },
    h(
      'header',
      null,
      h('h3', null, 'Timeline'),
      h('span', { class: 'legend', 'aria-hidden': 'true' }, legend()),
      h(
        'button',
        {
          type: 'button',
          class: 'save',
          onClick: () => picture.current && exportSvg(picture.current, `${pod.name}-timeline.svg`),
        },
        'Save as SVG',
      ),
    ),
    h(
      'div',
      { ref: frame, class: 'chart' },
      h(
        'svg',
        {
          ref: picture,
          width,
          height,
          viewBox: `0 0 ${width} ${height}`,
          role: 'img',
          'aria-label': `Timeline of ${pod.name}; the history in words follows`,
        },
        axis(x, timeline.begin, end, height, (right - left) / 90),
        timeline.lanes.map((lane, i) =>
          h(
            'g',
            {
              key: lane.name,
              class: lane.name === selected ? 'lane selected' : 'lane',
              transform: `translate(0 ${TOP + i * LANE})`,
              onClick: () => onSelect(lane.name),
            },
            h('rect', { class: 'hit', x: 0, y: 0, width, height: LANE }),
            h('text', { x: 0, y: LANE / 2 + 4, class: 'label' }, cut(lane.name, left / 7.2)),
            laneShapes(lane, x, end),
          ),
        ),
      ),
    ),
    h(
      'details',
      { class: 'history' },
      h('summary', null, 'The history in words'),
      h(
        'ol',
        null,
        sentences
          .slice(-MAX_SENTENCES)
          .map(({ at, text }, i) =>
            h(
              'li',
              { key: i },
              h('span', { class: 'at' }, `+${(at / 1000).toFixed(1)} s`),
              ` ${text}`,
            ),
          ),
      ),
    ),
  );
}

function lastInstant({ timeline }: PodView): number {
  const ends = timeline.lanes.flatMap(({ bars }) =>
    bars.flatMap(({ from, to, ticks }) => [to ?? from, ...ticks.map(({ at }) => at)]),
  );
  return Math.max(timeline.begin + 1, ...ends, ...timeline.ticks.map(({ at }) => at));
}

function laneShapes({ bars, waits }: Lane, x: (at: number) => number, end: number) {
  const y = (LANE - BAR) / 2;
  const long = (from: number, to: number | undefined) => Math.max(2, x(to ?? end) - x(from));
  return [
    waits.map(({ from, to, why }, i) =>
      h(
        'rect',
        {
          key: `w${i}`,
          class: 'wait',
          x: x(from),
          y: y + 5,
          width: long(from, to),
          height: BAR - 10,
        },
        h('title', null, `waited ${span((to ?? end) - from)} for ${why}`),
      ),
    ),
    bars.map(({ from, to, exitCode, segments, ticks }, i) => [
      segments.map(({ state, from: a, to: b }, j) =>
        h(
          'rect',
          {
            key: `s${i}.${j}`,
            class: `segment ${state}`,
            x: x(a),
            y,
            width: long(a, b),
            height: BAR,
          },
          h('title', null, `${state} for ${span((b ?? end) - a)}`),
        ),
      ),
      ticks.map(({ at, kind, text }, j) =>
        h(
          'path',
          { key: `t${i}.${j}`, class: `tick ${kind}`, d: `M${x(at)} ${y - 4}v${BAR + 8}` },
          h('title', null, text),
        ),
      ),
      to !== undefined &&
        h(
          'text',
          {
            key: `e${i}`,
            class: exitCode === 0 ? 'exit good' : 'exit bad',
            x: Math.min(x(to) + 3, x(end) - 8),
            y: y - 1,
          },
          h('title', null, `ran ${span(to - from)}, exit code ${exitCode ?? 'unknown'}`),
          `${exitCode ?? '?'}`,
        ),
    ]),
  ];
}

function axis(
  x: (at: number) => number,
  begin: number,
  end: number,
  height: number,
  marks: number,
) {
  const step = niceStep((end - begin) / Math.max(2, marks));
  const count = Math.min(50, Math.floor((end - begin) / step));
  return h(
    'g',
    { class: 'axis' },
    Array.from({ length: count + 1 }, (_, i) => {
      const at = begin + i * step;
      return h(
        'g',
        { key: i },
        h('path', { class: 'rule', d: `M${x(at)} ${TOP}V${height - AXIS + 4}` }),
        h('text', { x: x(at), y: height - 6 }, seconds(i * step)),
      );
    }),
  );
}

/** The least of 1, 2 and 5 times a power of ten that is not below `least`, in milliseconds. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

function seconds(ms: number): string {
  return ms < 1000
    ? `${ms} ms`
    : ms < 120_000
      ? `${ms / 1000} s`
      : `${Math.round(ms / 6000) / 10} min`;
}

function cut(text: string, length: number): string {
  const most = Math.max(3, Math.floor(length) - 1);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function legend() {
  return ['starting', 'running', 'ready', 'stopping'].map((state) =>
    h('span', { key: state }, h('i', { class: `segment ${state}` }), state),
  );
}
