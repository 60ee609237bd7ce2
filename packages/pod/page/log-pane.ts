import { h } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PodView } from '../src/view/model.ts';
import { followLogs, type LogState } from './log-stream.ts';
import { readable } from './readable.ts';

const ROW = 20;
const ROWS_AROUND = 20;

export interface LogProps {
  readonly pod: PodView;
  readonly container: string | undefined;
}

/** The logs of a Pod's containers, with a search; only the visible lines are drawn. */
export function LogPane({ pod, container }: LogProps) {
  const [log, setLog] = useState<LogState>({ lines: [], skipped: 0 });
  const [words, setWords] = useState('');
  const [scroll, setScroll] = useState({ top: 0, height: 400 });
  const [follow, setFollow] = useState(true);
  const view = useRef<HTMLDivElement>(null);
  useEffect(() => followLogs(pod.name, setLog), [pod.name]);
  const shown = useMemo(() => {
    const wanted = words.toLowerCase();
    return log.lines.filter(
      (line) =>
        (container === undefined || line.container === container) &&
        (wanted === '' || line.text.toLowerCase().includes(wanted)),
    );
  }, [log, container, words]);
  useLayoutEffect(() => {
    if (follow && view.current) view.current.scrollTop = view.current.scrollHeight;
  }, [shown, follow]);
  const first = Math.max(0, Math.floor(scroll.top / ROW) - ROWS_AROUND);
  const last = Math.min(shown.length, Math.ceil((scroll.top + scroll.height) / ROW) + ROWS_AROUND);
  const names = pod.containers.map(({ name }) => name);
  return h(
    'div',
    { class: 'logs' },
    h(
      'div',
      { class: 'controls' },
      h(
        'label',
        null,
        'Search ',
        h('input', {
          type: 'search',
          value: words,
          onInput: (event: Event) => setWords((event.target as HTMLInputElement).value),
        }),
      ),
      h(
        'label',
        null,
        h('input', {
          type: 'checkbox',
          checked: follow,
          onChange: (event: Event) => setFollow((event.target as HTMLInputElement).checked),
        }),
        ' Follow',
      ),
      h(
        'span',
        { class: 'count' },
        `${shown.length} lines${container ? ` of ${container}` : ''}`,
        log.skipped > 0 && `, ${log.skipped} came too fast and are not shown`,
      ),
    ),
    h(
      'div',
      {
        class: 'lines',
        ref: view,
        role: 'log',
        'aria-live': 'off',
        'aria-label': 'Logs',
        tabIndex: 0,
        onScroll: (event: Event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.target as HTMLElement;
          setScroll({ top: scrollTop, height: clientHeight });
          if (scrollHeight - scrollTop - clientHeight > 2 * ROW) setFollow(false);
        },
      },
      h(
        'div',
        { style: { height: `${shown.length * ROW}px`, paddingTop: `${first * ROW}px` } },
        shown.slice(first, last).map((line, i) => {
          const { level, text } = readable(line.text);
          return h(
            'div',
            { key: first + i, class: `line ${level}`, title: line.text.slice(0, 4000) },
            h('span', { class: 'time' }, line.time.slice(11, 23)),
            h('span', { class: `from c${names.indexOf(line.container) % 6}` }, line.container),
            h('span', { class: 'text' }, text),
          );
        }),
      ),
    ),
  );
}
