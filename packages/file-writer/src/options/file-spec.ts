import { resolve } from 'node:path';
import { type Fault, flagName } from '@sidekit/core';
import { type FileValues, fileOptions } from './file-options.ts';

export type SourceName = NonNullable<FileValues['source']>;

/** One file to keep up to date: its options, with `source` and `target` present. */
export type FileSpec = FileValues & { readonly source: SourceName; readonly target: string };

/** The options that belong to some sources only, and whether those require them. */
const BELONGS: Readonly<Record<string, Partial<Record<SourceName, 'needed' | 'allowed'>>>> = {
  url: { http: 'needed' },
  header: { http: 'allowed' },
  bearerTokenFile: { http: 'allowed' },
  sha256: { http: 'allowed', dir: 'allowed' },
  caFile: { http: 'allowed', git: 'allowed' },
  repository: { git: 'needed' },
  subpath: { git: 'allowed' },
  credentials: { git: 'allowed' },
  template: { template: 'needed' },
  data: { template: 'allowed' },
  from: { dir: 'needed' },
  selector: { kubernetes: 'needed' },
  namespace: { kubernetes: 'allowed' },
};

type Values = FileValues & { readonly files: readonly FileValues[] | undefined };

/** Reads the one file of the flags, or the list of the configuration file. */
export function readSpecs(values: Values, report: (fault: Fault) => void): readonly FileSpec[] {
  const { files } = values;
  if (files && values.target !== undefined) {
    report({
      name: '--target',
      rule: 'is given together with files',
      remedy: 'give one file by flags, or a list of files in the configuration file',
    });
  }
  const items = files
    ? files.map((file, i) => ({
        name: (key: string) => `files[${i}].${key}`,
        file: inherit(values, file),
      }))
    : [{ name: flagName, file: values }];
  if (items.length === 0) {
    report({ name: 'files', rule: 'is empty', remedy: 'list at least one file' });
  }
  const targets = new Map<string, string>();
  const specs: FileSpec[] = [];
  for (const { name, file } of items) {
    const spec = readSpec(file, name, report);
    if (!spec) continue;
    specs.push(spec);
    const path = resolve(spec.target);
    const other = targets.get(path);
    if (other !== undefined) {
      report({
        name: name('target'),
        value: spec.target,
        rule: `is also ${other}`,
        remedy: 'give each file its own target',
      });
    }
    targets.set(path, name('target'));
  }
  return specs;
}

function readSpec(
  file: FileValues,
  name: (key: string) => string,
  report: (fault: Fault) => void,
): FileSpec | undefined {
  const { source, target } = file;
  if (source === undefined) {
    report({
      name: name('source'),
      rule: 'is missing',
      remedy: `give ${fileOptions.source.type.label}`,
    });
  }
  if (target === undefined) {
    report({ name: name('target'), rule: 'is missing', remedy: 'give the path to write' });
  } else if (/(^|\/)\.{0,2}$/.test(target)) {
    report({
      name: name('target'),
      value: target,
      rule: 'must end with the name of a file',
      remedy: 'write /directory/name',
    });
  }
  if (source === undefined || target === undefined) return undefined;
  for (const [key, sources] of Object.entries(BELONGS)) {
    const value = file[key as keyof FileValues];
    if (value === undefined && sources[source] === 'needed') {
      report({
        name: name(key),
        rule: `is missing for the source ${source}`,
        remedy: `give ${name(key)}`,
      });
    } else if (value !== undefined && sources[source] === undefined) {
      report({
        name: name(key),
        rule: `does not apply to the source ${source}`,
        remedy: `leave it out, or choose the source ${Object.keys(sources).join(' or ')}`,
      });
    }
  }
  checkUrls(file, name, report);
  return { ...file, source, target };
}

function checkUrls(
  file: FileValues,
  name: (key: string) => string,
  report: (fault: Fault) => void,
) {
  const names = file.url?.map((one) => one.name) ?? [];
  for (const [i, one] of names.entries()) {
    if (names.indexOf(one) === i) continue;
    report({
      name: name('url'),
      value: one,
      rule: 'gives two files the same name',
      remedy: 'write name=URL, each with its own name',
    });
  }
  if (names.length > 1 && file.sha256 !== undefined) {
    report({
      name: name('sha256'),
      rule: 'applies to a single URL only',
      remedy: 'list the files with their own checksums under files',
    });
  }
}

/** Fills what an entry of the list leaves out with the outer value, unless its source cannot use it. */
function inherit(values: Values, file: FileValues): FileValues {
  const source = file.source ?? values.source;
  const merged = Object.keys(fileOptions).map((key) => {
    const name = key as keyof FileValues;
    const unsupported = BELONGS[key] && source && !BELONGS[key][source];
    return [key, file[name] ?? (unsupported ? undefined : values[name])];
  });
  return Object.fromEntries(merged) as FileValues;
}
