import type { PassThrough } from 'node:stream';
import { errorText } from '@sidekit/core';
import { Liquid } from 'liquidjs';
import { Allowance } from '../content.ts';
import { Failure } from '../failure.ts';
import { INPUT_LIMIT } from './data.ts';
import { keyValues } from './key-values.ts';

/** The longest time for rendering a template, in milliseconds. */
const RENDER_TIME = 2000;
/**
 * How many characters and elements of arrays a template may create besides its output; an element,
 * such as a number of `(1..9)`, takes 8 bytes.
 */
const MEMORY = 4 * 1024 * 1024;
/** The largest output, in bytes: it is in memory until it is written. */
const OUTPUT = 16 * 1024 * 1024;
/** The size of its pieces, in characters. */
const PIECE = 64 * 1024;

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
 * @throws {Failure} with the line and column, also if the output has more than `maxSize` bytes or
 * 16 MiB.
 */
export async function render(
  text: string,
  path: string,
  data: Readonly<Record<string, unknown>>,
  maxSize: number,
): Promise<readonly Buffer[]> {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    ownPropertyOnly: true,
    fs: noFiles,
    relativeReference: false,
    parseLimit: INPUT_LIMIT,
    renderLimit: RENDER_TIME,
    memoryLimit: MEMORY,
  });
  engine.registerFilter('key_values', keyValues);
  try {
    return await outputOf(engine.renderToNodeStream(engine.parse(text, path), data), maxSize);
  } catch (error) {
    const { originalError: cause } = error as { originalError?: unknown };
    if (cause instanceof Failure) throw cause;
    const { token, originalError } = error as { token?: Token; originalError?: unknown };
    const [line, column] = token?.getPosition?.() ?? [];
    const place = line === undefined ? '' : `:${line}:${column}`;
    throw new Failure(
      'template',
      `${path}${place}: ${errorText(originalError ?? error)}: correct the template`,
    );
  }
}

/**
 * Takes the output where it is written: the stream would keep all of it, whatever its size, since
 * rendering does not wait for a reader.
 */
async function outputOf(stream: NodeJS.ReadableStream, maxSize: number): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  const allowance = new Allowance(Math.min(maxSize, OUTPUT));
  let text = '';
  const flush = () => {
    const piece = Buffer.from(text);
    text = '';
    allowance.take(piece.length);
    pieces.push(piece);
  };
  const output = stream as PassThrough;
  output.write = (chunk: unknown) => {
    text += String(chunk);
    if (text.length >= PIECE) flush();
    return true;
  };
  await new Promise((resolve, reject) => output.on('finish', resolve).on('error', reject));
  flush();
  return pieces;
}

interface Token {
  getPosition?(): [line: number, column: number];
}
