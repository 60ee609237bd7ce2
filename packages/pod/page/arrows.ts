import { h } from 'preact';

/** Two boxes, by their `data-box`, that an arrow connects. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  readonly both: boolean;
}

export interface Arrow {
  readonly path: string;
  readonly both: boolean;
}

/** Finds the path of each arrow from where the browser has put the boxes. */
export function place(frame: HTMLElement, connections: readonly Connection[]): Arrow[] {
  const origin = frame.getBoundingClientRect();
  const boxes = new Map(
    [...frame.querySelectorAll<HTMLElement>('[data-box]')].map((element) => [
      element.dataset.box,
      element.getBoundingClientRect(),
    ]),
  );
  return connections.flatMap(({ from, to, both }) => {
    const [a, b] = [boxes.get(from), boxes.get(to)];
    if (!a || !b) return [];
    const down = b.top >= a.bottom;
    const up = a.top >= b.bottom;
    const x1 =
      (down || up ? a.left + a.width / 2 : b.left > a.left ? a.right : a.left) - origin.left;
    const y1 = (down ? a.bottom : up ? a.top : a.top + a.height / 2) - origin.top;
    const x2 =
      (down || up ? b.left + b.width / 2 : b.left > a.left ? b.left : b.right) - origin.left;
    const y2 = (down ? b.top : up ? b.bottom : b.top + b.height / 2) - origin.top;
    const bend =
      down || up ? [x1, (y1 + y2) / 2, x2, (y1 + y2) / 2] : [(x1 + x2) / 2, y1, (x1 + x2) / 2, y2];
    const path = `M${round(x1)} ${round(y1)}C${bend.map(round).join(' ')} ${round(x2)} ${round(y2)}`;
    return [{ path, both }];
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function arrowsOf(arrows: readonly Arrow[]) {
  return h(
    'svg',
    { class: 'arrows', 'aria-hidden': 'true' },
    h(
      'defs',
      null,
      h(
        'marker',
        {
          id: 'head',
          viewBox: '0 0 8 8',
          refX: 7,
          refY: 4,
          markerWidth: 7,
          markerHeight: 7,
          orient: 'auto-start-reverse',
        },
        h('path', { d: 'M0 0L8 4L0 8z' }),
      ),
    ),
    arrows.map(({ path, both }, i) =>
      h('path', {
        key: i,
        d: path,
        'marker-end': 'url(#head)',
        'marker-start': both ? 'url(#head)' : undefined,
      }),
    ),
  );
}
