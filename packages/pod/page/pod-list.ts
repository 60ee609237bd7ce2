import { h } from 'preact';
import type { PodView } from '../src/view/model.ts';

export interface PodListProps {
  readonly pods: readonly PodView[];
  readonly selected: string | undefined;
  readonly onSelect: (name: string) => void;
}

/** Lists all Pods with their status. */
export function PodList({ pods, selected, onSelect }: PodListProps) {
  return h(
    'nav',
    { class: 'pods', 'aria-label': 'Pods' },
    h(
      'ul',
      null,
      pods.map((pod) =>
        h(
          'li',
          { key: pod.name },
          h(
            'button',
            {
              type: 'button',
              'aria-current': pod.name === selected ? 'true' : undefined,
              onClick: () => onSelect(pod.name),
            },
            h('span', { class: `dot ${toneOf(pod)}`, 'aria-hidden': 'true' }),
            h('span', { class: 'name', title: pod.name }, pod.name),
            h('span', { class: 'status' }, pod.summary),
          ),
        ),
      ),
    ),
  );
}

/** The colour of a Pod: that of its worst container. */
export function toneOf({ containers, ended }: PodView): string {
  const phases = containers.map(({ phase }) => phase);
  if (phases.includes('failing')) return 'failing';
  if (ended || phases.every((phase) => phase === 'completed')) return 'completed';
  return phases.some((phase) => phase === 'waiting' || phase === 'starting') ? 'starting' : 'ready';
}
