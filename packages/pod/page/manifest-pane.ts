import { h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ManifestView } from '../src/view/model.ts';

export interface ManifestProps {
  readonly manifest: ManifestView;
  readonly container: string | undefined;
}

/** The manifest, with the part that the selected container comes from. */
export function ManifestPane({ manifest, container }: ManifestProps) {
  const first = useRef<HTMLElement>(null);
  const range = container === undefined ? undefined : manifest.lines[container];
  useEffect(() => first.current?.scrollIntoView({ block: 'nearest' }), [container]);
  return h(
    'pre',
    { class: 'manifest', tabIndex: 0, 'aria-label': 'Manifest' },
    manifest.text.split('\n').map((line, i) => {
      const marked = range !== undefined && i >= range[0] && i <= range[1];
      const start = marked && i === range[0];
      return h(
        marked ? 'mark' : 'span',
        { key: i, ref: start ? (first as never) : undefined },
        `${line}\n`,
      );
    }),
  );
}
