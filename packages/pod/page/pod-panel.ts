import { h } from 'preact';
import { useState } from 'preact/hooks';
import type { PodView } from '../src/view/model.ts';
import { Diagram } from './diagram.ts';
import { LogPane } from './log-pane.ts';
import { ManifestPane } from './manifest-pane.ts';
import { MetricsPane } from './metrics-pane.ts';
import { toneOf } from './pod-list.ts';
import { TimelineChart } from './timeline-chart.ts';

const TABS = ['Logs', 'Manifest', 'Metrics'] as const;
type Tab = (typeof TABS)[number];

/** One Pod: its picture, its timeline, and its logs, manifest and metrics. */
export function PodPanel({ pod }: { readonly pod: PodView }) {
  const [container, setContainer] = useState<string>();
  const [tab, setTab] = useState<Tab>('Logs');
  const select = (name: string) => setContainer(name === container ? undefined : name);
  return h(
    'article',
    { class: 'pod' },
    h(
      'header',
      null,
      h('h2', null, pod.name),
      h('span', { class: `chip ${toneOf(pod)}` }, pod.summary),
      pod.ip ? h('span', { class: 'ip' }, pod.ip) : null,
      pod.message ? h('p', { class: 'message' }, pod.message) : null,
    ),
    h(Diagram, { pod, selected: container, onSelect: select }),
    h(TimelineChart, { pod, selected: container, onSelect: select }),
    h(
      'section',
      { class: 'details', 'aria-label': 'Details' },
      h(
        'div',
        { class: 'tabs', role: 'tablist', 'aria-label': 'Details' },
        TABS.map((name, index) =>
          h(
            'button',
            {
              key: name,
              type: 'button',
              role: 'tab',
              id: `tab-${name}`,
              'aria-selected': name === tab ? 'true' : 'false',
              'aria-controls': 'details',
              tabIndex: name === tab ? 0 : -1,
              onClick: () => setTab(name),
              onKeyDown: (event: KeyboardEvent) => {
                const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
                const next = step && TABS[(index + step + TABS.length) % TABS.length];
                if (!next) return;
                setTab(next);
                document.getElementById(`tab-${next}`)?.focus();
              },
            },
            name,
          ),
        ),
      ),
      h(
        'div',
        { id: 'details', role: 'tabpanel', 'aria-labelledby': `tab-${tab}`, tabIndex: -1 },
        tab === 'Logs'
          ? h(LogPane, { pod, container })
          : tab === 'Manifest'
            ? h(ManifestPane, { manifest: pod.manifest, container })
            : h(MetricsPane, { pod, container }),
      ),
    ),
  );
}
