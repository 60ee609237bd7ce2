import {
  boolean,
  choice,
  duration,
  integer,
  map,
  object,
  option,
  path,
  type Report,
  size,
  text,
} from '@sidekit/core';
import { outputTarget, type Target } from '../output/target.ts';
import type { Globs } from '../tail/glob.ts';

/** An output with its own settings. */
export const outputFields = object({
  to: option(outputTarget, {
    description: 'As for `--output`.',
    required: true,
  }),
  format: option(choice('ndjson', 'json'), {
    description: 'For HTTP: JSON lines, or one JSON array per batch.',
    default: 'ndjson',
  }),
  gzip: option(boolean, { description: 'For HTTP, Loki and OTLP: compress.', default: false }),
  headers: option(map(text()), {
    description: 'For HTTP, Loki and OTLP: request headers, such as `X-Scope-OrgID`.',
    default: {},
  }),
  authorizationFile: option(path, {
    description:
      'A file whose content is sent as the Authorization header; read for every request.',
  }),
  bearerFile: option(path, {
    description: 'A file with a bearer token; read for every request.',
  }),
  basicFile: option(path, {
    description: 'A file with `user:password` for basic authentication; read for every request.',
  }),
  caFile: option(path, {
    description: 'PEM of the authorities to trust instead of the system’s; read for every request.',
  }),
  certFile: option(path, {
    description: 'PEM of the client certificate; read for every request.',
  }),
  keyFile: option(path, {
    description: 'PEM of the key of the client certificate; read for every request.',
  }),
  timeout: option(duration(1, 3_600_000), {
    description: 'For HTTP, Loki and OTLP: how long one request may take.',
    default: 10_000,
  }),
  labels: option(map(text()), {
    description:
      "For Loki: the stream's labels, to which `filename` is added; for OTLP: the resource's attributes.",
    default: {},
  }),
  labelFields: option(map(text()), {
    description:
      'For Loki: label names to the fields that hold their values; at most 100 values each, others are `__other__`.',
    default: {},
  }),
  maxSize: option(size(), {
    description: 'For a file: rotate once it would be larger; 0 never rotates.',
    default: 0,
  }),
  keep: option(integer(0, 1000), {
    description: 'For a file: how many rotated files are kept.',
    default: 5,
  }),
});

/**
 * Checks that no two outputs have the same target, which they would overwrite, and that no output
 * writes to a file that is read, which would never end.
 */
export function checkTargets(outputs: readonly Target[], globs: Globs, report: Report): void {
  const targets = outputs.map(({ kind, target }) => `${kind}:${target}`);
  for (const target of new Set(targets.filter((one, i) => targets.indexOf(one) !== i))) {
    report({ name: 'output', value: target, rule: 'is given twice', remedy: 'leave one out' });
  }
  for (const { kind, target } of outputs) {
    if (kind !== 'file' || !globs.readFrom(target)) continue;
    report({
      name: 'output',
      value: `file:${target}`,
      rule: 'is among the files that are read',
      remedy: 'write to another directory, or leave it out with --exclude',
    });
  }
}
