import { h } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ContainerView, PodView } from '../src/view/model.ts';
import { type Arrow, arrowsOf, type Connection, place } from './arrows.ts';

const ROLES = [
  { role: 'init', title: 'Init containers, in order' },
  { role: 'sidecar', title: 'Sidecars' },
  { role: 'main', title: 'Containers' },
] as const;

const SYMBOLS = { waiting: '…', starting: '◔', ready: '●', failing: '✕', completed: '✓' } as const;

export interface DiagramProps {
  readonly pod: PodView;
  readonly selected: string | undefined;
  readonly onSelect: (name: string) => void;
}

/** The picture of a Pod: Services, containers by role, volumes and queues, and arrows between them. */
export function Diagram({ pod, selected, onSelect }: DiagramProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [arrows, setArrows] = useState<readonly Arrow[]>([]);
  const connections = connectionsOf(pod);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const draw = () => setArrows(place(element, connections));
    draw();
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    return () => observer.disconnect();
  }, [pod.name, JSON.stringify(connections)]);
  const groups = ROLES.map(({ role, title }) => ({
    title,
    role,
    containers: pod.containers.filter((one) => one.role === role),
  })).filter(({ containers }) => containers.length > 0);
  return h(
    'section',
    { class: 'diagram', 'aria-label': 'Picture of the Pod' },
    h(
      'div',
      { class: 'canvas', ref: frame },
      pod.services.length > 0 && h('ul', { class: 'services' }, pod.services.map(serviceBox)),
      h(
        'div',
        { class: 'frame' },
        groups.map(({ title, role, containers }) =>
          h(
            'section',
            { key: role, class: `role ${role}` },
            h('h3', null, title),
            h(
              'ul',
              null,
              containers.map((one) => containerBox(one, one.name === selected, onSelect)),
            ),
          ),
        ),
        (pod.volumes.length > 0 || pod.queues.length > 0) &&
          h(
            'section',
            { class: 'role shared' },
            h('h3', null, 'Shared'),
            h(
              'ul',
              null,
              pod.volumes.map(({ name, kind }) =>
                h(
                  'li',
                  { key: name, class: 'volume', 'data-box': `volume ${name}` },
                  h('b', null, name),
                  h('small', null, kind),
                ),
              ),
              pod.queues.map((name) =>
                h(
                  'li',
                  { key: name, class: 'queue', 'data-box': `queue ${name}` },
                  h('b', null, name),
                  h('small', null, 'queue'),
                ),
              ),
            ),
          ),
      ),
      arrowsOf(arrows),
    ),
  );
}

function serviceBox({ name, ports }: PodView['services'][number]) {
  return h(
    'li',
    { key: name, class: 'service', 'data-box': `service ${name}` },
    h('b', null, name),
    ports.map(({ port, target, host }) =>
      h(
        'small',
        { key: port },
        `${port} → ${target}`,
        host ? h('span', null, ` (127.0.0.1:${host})`) : null,
      ),
    ),
  );
}

function containerBox(one: ContainerView, selected: boolean, onSelect: (name: string) => void) {
  const { name, phase, reason, message, restarts, ports } = one;
  return h(
    'li',
    { key: name },
    h(
      'button',
      {
        type: 'button',
        class: `container ${phase}`,
        'data-box': `container ${name}`,
        'aria-pressed': selected ? 'true' : 'false',
        title: one.image,
        onClick: () => onSelect(name),
      },
      h('b', null, h('span', { class: 'symbol', 'aria-hidden': 'true' }, SYMBOLS[phase]), name),
      h('span', { class: 'state' }, reason, restarts > 0 && `, ${restarts} restarts`),
      message && phase !== 'ready' && h('small', { class: 'why' }, message.slice(0, 200)),
      ports.length > 0 &&
        h('small', null, ports.map(({ name: label, port }) => `${label}:${port}`).join(' ')),
    ),
  );
}

function connectionsOf({ services, containers }: PodView): Connection[] {
  const traffic = services.flatMap(({ name, ports }) =>
    containers
      .filter((one) => one.ports.some(({ port }) => ports.some(({ target }) => target === port)))
      .map((one) => ({ from: `service ${name}`, to: `container ${one.name}`, both: false })),
  );
  const mounts = containers.flatMap(({ name, mounts: all }) =>
    all.map(({ volume, readOnly }) =>
      readOnly
        ? { from: `volume ${volume}`, to: `container ${name}`, both: false }
        : { from: `container ${name}`, to: `volume ${volume}`, both: true },
    ),
  );
  const queues = containers.flatMap(({ name, queues: all }) =>
    all.map((queue) => ({ from: `container ${name}`, to: `queue ${queue}`, both: true })),
  );
  return [...traffic, ...mounts, ...queues];
}
