import { type Collect, isRecord, type Path, pathText } from '@sidekit/core/schema';
import { errorText } from '@sidekit/core/tool';
import { excessOf, MAX_DEPTH, REPEATED, repeatedKeys, TOO_DEEP } from '@sidekit/core/yaml';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import type { Findings } from './findings.ts';
import { kubectlYaml } from './kubectl-yaml.ts';
import { isTemplate } from './template.ts';

/** The largest manifest that is read, in bytes; that of the API server's requests. */
export const MAX_MANIFEST = 3 * 1024 * 1024;

/** Some five tokens for each line of such a file. */
const LIMITS = { tokens: 2_000_000, documents: 5000, aliases: 1000 };

/** One object of a manifest. */
export interface ManifestObject {
  readonly value: Readonly<Record<string, unknown>>;
  /** Reports with file, line, column, kind, name and path: `pod.yaml:12:5: Pod web: spec.image: …`. */
  readonly report: Collect;
}

/** A character that goyaml's reader refuses (readerc.go). */
const NO_CHARACTER = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
/** One object of JSON after another, as jq writes them; kubectl takes them, too. */
const NEXT_OBJECT = /\}([ \t\r]*\n\s*)\{/g;

/** Splits a file into its objects; lists are opened. Broken YAML is reported with line and column. */
export function readDocuments(file: string, text: string, findings: Findings): ManifestObject[] {
  const lines = new LineCounter();
  const source = /^\s*\{/.test(text) ? text.replace(NEXT_OBJECT, '}$1--- {') : text;
  const objects: ManifestObject[] = [];
  for (const document of parse(file, source, lines, findings)) {
    const broken = [...document.errors, ...document.warnings];
    if (broken.some(({ message }) => message.includes('call stack'))) {
      findings.add(file, { rule: TOO_DEEP });
      continue;
    }
    const template = isTemplate(document, source);
    if (template !== undefined) {
      const { line, col } = lines.linePos(template);
      const remedy = 'render it, as helm template does, and give the result';
      findings.add(`${file}:${line}:${col}`, { rule: 'this is a template', remedy });
      return objects;
    }
    for (const error of broken) {
      const { line, col } = lines.linePos(error.pos[0]);
      findings.add(`${file}:${line}:${col}`, { rule: error.message });
    }
    if (broken.length > 0) continue;
    try {
      // Objects may be merged one after another.
      const repeated = repeatedKeys(document).filter(({ value }) => value !== '<<');
      for (const { range } of repeated) {
        const { line, col } = lines.linePos(range?.[0] ?? 0);
        findings.add(`${file}:${line}:${col}`, { rule: REPEATED });
      }
      if (repeated.length > 0) continue;
      // The aliases of a small file can unfold to gigabytes: yaml's own limit stays on.
      const value: unknown = document.toJS({ maxAliasCount: 1000 });
      if (value === null || value === undefined) continue;
      if (isDeep(value)) findings.add(file, { rule: TOO_DEEP });
      else addObject(value, [], { file, lines, findings, objects, document });
    } catch (error) {
      findings.add(file, { rule: error instanceof RangeError ? TOO_DEEP : errorText(error) });
    }
  }
  return objects;
}

function parse(file: string, source: string, lines: LineCounter, findings: Findings) {
  const control = NO_CHARACTER.exec(source);
  if (control) {
    const before = source.slice(0, control.index).split('\n');
    const code = control[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    findings.add(`${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`, {
      rule: `U+${code} is no character of YAML`,
      remedy: 'remove it, or write it as an escape in double quotes',
    });
    return [];
  }
  const fault = excessOf(source, LIMITS);
  if (fault !== undefined) {
    findings.add(file, { rule: fault });
    return [];
  }
  try {
    const options = { ...kubectlYaml, lineCounter: lines, prettyErrors: false };
    return parseAllDocuments(source, options) as Document.Parsed[];
  } catch (error) {
    // Thousands of nested brackets exceed the stack of the recursive reader.
    if (!(error instanceof RangeError)) throw error;
    findings.add(file, { rule: TOO_DEEP });
    return [];
  }
}

/** Whether a value has more than `MAX_DEPTH` levels; level by level, since a recursion has a limit. */
function isDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
  }
  return false;
}

interface Reading {
  readonly file: string;
  readonly lines: LineCounter;
  readonly findings: Findings;
  readonly objects: ManifestObject[];
  readonly document: Document.Parsed;
}

function addObject(value: unknown, at: Path, reading: Reading) {
  const { file, lines, findings, objects, document } = reading;
  const place = (path: Path) => {
    const { line, col } = lines.linePos(position(document, [...at, ...path]));
    return `${file}:${line}:${col}`;
  };
  if (!isRecord(value)) {
    findings.add(place([]), { rule: 'a manifest must be an object with apiVersion and kind' });
  } else if (isList(value)) {
    for (const [index, item] of (value.items ?? []).entries()) {
      addObject(withKind(item, value), [...at, 'items', index], reading);
    }
  } else {
    const metadata = isRecord(value.metadata) ? value.metadata : {};
    const subject = [value.kind, metadata.name ?? metadata.generateName]
      .filter((part) => typeof part === 'string')
      .join(' ');
    objects.push({
      value,
      report: (path, violation) =>
        findings.add([place(path), subject, pathText(path)].filter(Boolean).join(': '), violation),
    });
  }
}

/** `List`, or the list of one kind that `kubectl get -o yaml` and the API give: `PodList`. */
function isList(value: Record<string, unknown>): value is { items: unknown[] | null } {
  const { kind, items } = value;
  return /List$/.test(String(kind)) && (Array.isArray(items) || items === null);
}

/** Adds the kind to an item of the list of one kind: the API's own lists do not repeat it. */
function withKind(item: unknown, list: Readonly<Record<string, unknown>>): unknown {
  const { apiVersion, kind } = list;
  if (!isRecord(item) || item.kind !== undefined || kind === 'List') return item;
  return { apiVersion, kind: String(kind).replace(/List$/, ''), ...item };
}

/** The position of a path's value, or of the nearest part of it that exists. */
function position(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      | { range?: readonly number[] }
      | undefined;
    if (node?.range?.[0] !== undefined) return node.range[0];
  }
  return 0;
}
