import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { type Path, pathText } from './reader.ts';
import { isObject } from './reader-faults.ts';

/** The largest manifest that is read, in bytes; that of the API server's requests. */
export const MAX_MANIFEST = 3 * 1024 * 1024;

/** One object of a manifest, with the places of its fields for messages. */
export interface ManifestObject {
  readonly value: Readonly<Record<string, unknown>>;
  /** What it is and where: `pod.yaml:12:5: Pod web: spec.containers[0].image: required`. */
  message(path: Path, text: string): string;
}

/** Splits a file into its objects; lists are opened. Broken YAML is reported with line and column. */
export function readDocuments(
  file: string,
  source: string,
  report: (message: string) => void,
): ManifestObject[] {
  const lines = new LineCounter();
  const objects: ManifestObject[] = [];
  // The aliases of a small file can unfold to gigabytes: yaml's own limit stays on.
  const documents = parseAllDocuments(source, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  for (const document of documents as Document.Parsed[]) {
    const broken = [...document.errors, ...document.warnings];
    for (const error of broken) {
      const { line, col } = lines.linePos(error.pos[0]);
      report(`${file}:${line}:${col}: ${error.message}`);
    }
    if (broken.length > 0) continue;
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 1000 });
    } catch (error) {
      report(`${file}: ${(error as Error).message}`);
      continue;
    }
    if (value === null || value === undefined) continue;
    addObject(value, [], document, { file, lines, report, objects });
  }
  return objects;
}

interface Reading {
  readonly file: string;
  readonly lines: LineCounter;
  readonly report: (message: string) => void;
  readonly objects: ManifestObject[];
}

function addObject(value: unknown, at: Path, document: Document.Parsed, reading: Reading) {
  const { file, lines, report, objects } = reading;
  const place = (path: Path) => {
    const { line, col } = lines.linePos(position(document, [...at, ...path]));
    return `${file}:${line}:${col}`;
  };
  if (!isObject(value)) {
    report(`${place([])}: a manifest must be an object with apiVersion and kind`);
  } else if (value.kind === 'List' && Array.isArray(value.items)) {
    for (const [index, item] of value.items.entries()) {
      addObject(item, [...at, 'items', index], document, reading);
    }
  } else {
    const metadata = isObject(value.metadata) ? value.metadata : {};
    const subject = [value.kind, metadata.name]
      .filter((part) => typeof part === 'string')
      .join(' ');
    objects.push({
      value,
      message: (path, text) =>
        `${place(path)}: ${[subject, pathText(path), text].filter(Boolean).join(': ')}`,
    });
  }
}

/** Where the value of a path begins, or the nearest part of it that exists. */
function position(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      | { range?: readonly number[] }
      | undefined;
    if (node?.range?.[0] !== undefined) return node.range[0];
  }
  return 0;
}
