/** The page of `pod view`: follows the Pods of its server and shows one of them. */
import { h, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PodView } from '../src/view/model.ts';
import { PodList } from './pod-list.ts';
import { PodPanel } from './pod-panel.ts';
import { followPods, type PodsState } from './stream.ts';

function App() {
  const [state, setState] = useState<PodsState>({ connected: false, pods: new Map() });
  const [selected, select] = useState<string>(() => decodeURIComponent(location.hash.slice(1)));
  useEffect(() => followPods(setState), []);
  const choose = (name: string) => {
    history.replaceState(null, '', `#${encodeURIComponent(name)}`);
    select(name);
  };
  const pods = [...state.pods.values()].toSorted((a, b) =>
    a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
  const shown: PodView | undefined = state.pods.get(selected) ?? mostInteresting(pods);
  const status = state.connected ? (state.problem ?? 'live') : 'connecting …';
  return h(
    'div',
    { class: 'app' },
    h(
      'header',
      { class: 'top' },
      h('h1', null, 'Pods'),
      h(
        'p',
        { class: status === 'live' ? 'connection' : 'connection lost', role: 'status' },
        status,
      ),
    ),
    h(PodList, { pods, selected: shown?.name, onSelect: choose }),
    h(
      'main',
      null,
      shown
        ? h(PodPanel, { key: shown.name, pod: shown })
        : h(
            'p',
            { class: 'empty' },
            'No Pods. Start one with ',
            h('code', null, 'pod up FILE'),
            '.',
          ),
    ),
  );
}

/** Chooses the Pod in which something happens: one that is not Ready, or else the first. */
function mostInteresting(pods: readonly PodView[]): PodView | undefined {
  return pods.find((pod) => !pod.ended && pod.containers.some(isBusy)) ?? pods[0];
}

function isBusy({ phase }: PodView['containers'][number]): boolean {
  return phase === 'failing' || phase === 'starting' || phase === 'waiting';
}

const root = document.getElementById('app');
if (root) render(h(App, null), root);
