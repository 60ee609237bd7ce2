import { readFileSync, statSync } from 'node:fs';
import { errorText, nearest, type Report } from '@sidekit/core';
import { parseAllDocuments } from 'yaml';
import { checkShape, isObject } from './schema.ts';
import { KINDS } from './shapes.ts';

/** One object of a manifest that has the shape of its kind. */
export interface Document {
  readonly kind: string;
  readonly where: string;
  readonly value: Record<string, unknown>;
}

/** The largest manifest that is read, in bytes: what etcd would take with room to spare. */
const LIMIT = 4 * 1024 * 1024;

/** Reads the files (`-` is stdin) and checks the shape of each object; every fault is reported. */
export function readDocuments(files: readonly string[], report: Report): Document[] {
  return files.flatMap((file) => {
    try {
      if (file !== '-' && statSync(file).size > LIMIT) throw new Error('larger than 4 MiB');
      return parseDocuments(readFileSync(file === '-' ? 0 : file, 'utf8'), file, report);
    } catch (error) {
      report({
        name: file,
        rule: `cannot be read (${errorText(error)})`,
        remedy: 'give the path of a manifest',
      });
      return [];
    }
  });
}

export function parseDocuments(text: string, file: string, report: Report): Document[] {
  const documents: Document[] = [];
  for (const [i, document] of parseAllDocuments(text, { uniqueKeys: true }).entries()) {
    for (const { message, linePos } of document.errors) {
      const place = linePos ? `:${linePos[0].line}:${linePos[0].col}` : '';
      report({ name: `${file}${place}`, rule: `is not YAML (${message.split(' at line')[0]})` });
    }
    if (document.errors.length > 0) continue;
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value === null || value === undefined) continue;
    const checked = checkDocument(value, `${file}#${i + 1}`, report);
    if (checked) documents.push(...checked);
  }
  return documents;
}

function checkDocument(value: unknown, where: string, report: Report): Document[] | undefined {
  if (!isObject(value)) {
    report({ name: where, rule: 'must be an object with apiVersion and kind' });
    return undefined;
  }
  if (value.kind === 'List' && Array.isArray(value.items)) {
    return value.items.flatMap(
      (item, i) => checkDocument(item, `${where}.items[${i}]`, report) ?? [],
    );
  }
  const kind = String(value.kind ?? '');
  const known = KINDS[kind];
  // Namespaces separate nothing here, and asking for one is harmless.
  if (kind === 'Namespace') return [];
  if (!known) {
    report({
      name: `${where} kind`,
      value: value.kind,
      rule: 'is not supported by pod',
      remedy: nearest(kind, Object.keys(KINDS)),
    });
    return undefined;
  }
  if (value.apiVersion !== known.apiVersion) {
    report({
      name: `${where} apiVersion`,
      value: value.apiVersion,
      rule: `must be ${known.apiVersion} for a ${kind}`,
    });
  }
  let good = true;
  checkShape(known.shape, value, '', (fault) => {
    good = false;
    report({ ...fault, name: `${where} ${kind} ${fault.name}` });
  });
  const { name } = isObject(value.metadata) ? value.metadata : {};
  if (name === undefined) {
    good = false;
    report({
      name: `${where} ${kind} metadata.name`,
      rule: 'is missing',
      remedy: 'add metadata.name',
    });
  }
  return good ? [{ kind, where, value }] : undefined;
}
