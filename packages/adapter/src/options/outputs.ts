import {
  boolean,
  choice,
  duration,
  integer,
  map,
  type OptionValues,
  object,
  option,
  path,
  type Report,
  size,
  text,
} from '@sidekit/core';
import { outputTarget, type Target } from '../output/target.ts';
import type { Globs } from '../tail/glob.ts';

/** How an HTTP client authenticates itself and its server. */
export const security = {
  headers: option(map(text()), {
    description: 'Request headers, such as `X-Scope-OrgID`.',
    default: {},
    secret: true,
  }),
  authorizationFile: option(path, {
    description: 'A file with the complete Authorization header; read for every request.',
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
};

/** The settings of all outputs over HTTP, of which `outputs` can have their own. */
export const httpSettings = {
  gzip: option(boolean, { description: 'Compress request bodies.', default: false }),
  ...security,
  labels: option(map(text()), {
    description: "Loki: the stream's labels, to which `filename` is added.",
    default: {},
  }),
  labelFields: option(map(text()), {
    description:
      'Loki: label names to the fields that hold their values; at most 100 values each, others are `__other__`.',
    default: {},
  }),
  resource: option(map(text()), {
    description: "OTLP: the resource's attributes, such as `service.name=shop`.",
    default: {},
  }),
};

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
  ...httpSettings,
  timeout: option(duration(1, 3_600_000), {
    description: 'For HTTP, Loki and OTLP: how long one request may take.',
    default: 10_000,
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

/** Checks that Loki's labels have valid names, and that one way of authentication is given. */
export function checkHttpSettings(
  name: string,
  settings: OptionValues<typeof httpSettings>,
  report: Report,
): void {
  const { labels, labelFields } = settings;
  for (const label of [...Object.keys(labels), ...Object.keys(labelFields)]) {
    if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label)) continue;
    report({
      name: `${name}labels`,
      value: label,
      rule: 'is not a label name',
      remedy: 'use letters, digits and _; attributes of OTLP belong to resource',
    });
  }
  checkSecurity(name, settings, report);
}

/** Checks that one way of authentication is given, and a certificate with its key. */
export function checkSecurity(
  name: string,
  { authorizationFile, bearerFile, basicFile, certFile, keyFile }: OptionValues<typeof security>,
  report: Report,
): void {
  const given = [authorizationFile, bearerFile, basicFile].filter((file) => file !== undefined);
  if (given.length > 1) {
    report({
      name: `${name}authorizationFile, bearerFile, basicFile`,
      rule: 'exclude each other',
      remedy: 'give one of them',
    });
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    report({ name: `${name}certFile, keyFile`, rule: 'go together', remedy: 'give both' });
  }
}

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
