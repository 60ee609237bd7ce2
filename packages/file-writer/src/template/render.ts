import { errorText } from '@sidekit/core';
import { Liquid } from 'liquidjs';
import { Failure } from '../failure.ts';
import { INPUT_LIMIT } from './data.ts';
import { keyValues } from './key-values.ts';

/** The longest time for rendering a template, in milliseconds. */
const RENDER_TIME = 2000;

const noFiles = {
  exists: async () => false,
  existsSync: () => false,
  contains: async () => false,
  containsSync: () => false,
  readFile: async () => '',
  readFileSync: () => '',
  resolve: (_directory: string, file: string) => file,
};

/**
 * Renders a Liquid template. Nothing in it runs code, reads files or sees inherited properties;
 * an unknown variable or filter is an error, not an empty string.
 * @throws {Failure} with the line and column.
 */
export async function render(
  text: string,
  path: string,
  data: Readonly<Record<string, unknown>>,
  maxSize: number,
): Promise<string> {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    ownPropertyOnly: true,
    fs: noFiles,
    relativeReference: false,
    parseLimit: INPUT_LIMIT,
    renderLimit: RENDER_TIME,
    memoryLimit: maxSize,
  });
  engine.registerFilter('key_values', keyValues);
  try {
    return await engine.render(engine.parse(text, path), data);
  } catch (error) {
    const { token, originalError } = error as { token?: Token; originalError?: unknown };
    const [line, column] = token?.getPosition?.() ?? [];
    const place = line === undefined ? '' : `:${line}:${column}`;
    throw new Failure(
      'template',
      `${path}${place}: ${errorText(originalError ?? error)}: correct the template`,
    );
  }
}

interface Token {
  getPosition?(): [line: number, column: number];
}
