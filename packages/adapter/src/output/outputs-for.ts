import type { OptionValues } from '@sidekit/core';
import type { adapterTable } from '../options/table.ts';
import { fileOutput } from './file.ts';
import { httpOutput, lokiOutput, otlpOutput } from './http.ts';
import type { Output } from './output.ts';
import { stdoutOutput } from './stream.ts';
import type { Target } from './target.ts';

type Values = OptionValues<(typeof adapterTable)['options']>;
type Settings = Values['outputs'][number];

const USUAL: Omit<Settings, 'to'> = {
  format: 'ndjson',
  gzip: false,
  headers: {},
  authorizationFile: undefined,
  bearerFile: undefined,
  basicFile: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
  timeout: 10_000,
  labels: {},
  labelFields: {},
  maxSize: 0,
  keep: 5,
};

/** Creates the outputs of the options; stdout if there are none. */
export function outputsFor({ output, outputs }: Values): Output[] {
  const all: Settings[] = [...output.map((to) => ({ ...USUAL, to })), ...outputs];
  if (all.length === 0) all.push({ ...USUAL, to: { kind: 'stdout', target: '' } satisfies Target });
  return all.map(outputFor);
}

function outputFor(settings: Settings): Output {
  const { kind, target } = settings.to;
  const http = { ...settings, url: target };
  switch (kind) {
    case 'stdout':
      return stdoutOutput();
    case 'file':
      return fileOutput({ ...settings, path: target });
    case 'http':
      return httpOutput(http);
    case 'loki':
      return lokiOutput(http);
    case 'otlp':
      return otlpOutput({ ...http, resource: settings.labels });
  }
}
