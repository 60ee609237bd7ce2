import { Broken, scalar, type Type } from '@sidekit/core';

/** A kind of output, and its URL or path. */
export interface Target {
  readonly kind: 'stdout' | 'file' | 'http' | 'loki' | 'otlp';
  readonly target: string;
}

/** `stdout`, `file:PATH`, `http://…`, `https://…`, `loki:http://…` or `otlp:http://…`. */
export const outputTarget: Type<Target> = scalar(
  'output',
  { type: 'string' },
  (input) => {
    if (typeof input !== 'string') return new Broken('must be text');
    return (
      read(input) ??
      new Broken(
        'must be an output',
        'write stdout, file:/path, http://host/path, loki:http://host:3100 or otlp:http://host:4318',
      )
    );
  },
  ({ kind, target }) => (kind === 'stdout' ? kind : kind === 'http' ? target : `${kind}:${target}`),
);

function read(input: string): Target | undefined {
  if (input === 'stdout') return { kind: 'stdout', target: '' };
  if (/^https?:\/\//.test(input)) {
    return URL.canParse(input) ? { kind: 'http', target: input } : undefined;
  }
  const match = /^(file|loki|otlp):(.+)$/.exec(input);
  if (!match) return undefined;
  const kind = match[1] as 'file' | 'loki' | 'otlp';
  const target = match[2]!;
  if (kind === 'file') return target.includes('\0') ? undefined : { kind, target };
  return /^https?:\/\//.test(target) && URL.canParse(target) ? { kind, target } : undefined;
}
