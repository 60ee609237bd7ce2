import type { OptionValues } from '@sidekit/core';
import type { adapterTable } from '../options/table.ts';
import { fileOutput } from './file.ts';
import { httpOutput, lokiOutput, otlpOutput } from './http.ts';
import type { Output } from './output.ts';
import { stdoutOutput } from './stream.ts';

type Values = OptionValues<(typeof adapterTable)['options']>;
type Settings = Values['outputs'][number];

/** The settings of `outputs` that have no option of their own. */
const USUAL = { format: 'ndjson', timeout: 10_000, maxSize: 0, keep: 5 } as const;

/** Creates the outputs of the options; stdout if there are none. */
export function outputsFor(options: Values): Output[] {
  const { output, outputs } = options;
  const all: Settings[] = [...output.map((to) => ({ ...options, ...USUAL, to })), ...outputs];
  if (all.length > 0) return all.map((one) => outputFor(one, options));
  return [stdoutOutput()];
}

function outputFor(settings: Settings, { maxLine }: Values): Output {
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
      return lokiOutput({ ...http, maxLine });
    case 'otlp':
      return otlpOutput(http);
  }
}
