import { CaptureTag, Context, Liquid, type Template, toValue, toValueSync } from 'liquidjs';
import { keyValues } from './key-values.ts';

/**
 * How many characters and elements of arrays a template may create besides its output; an element,
 * such as a number of `(1..9)`, takes 8 bytes.
 */
const MEMORY = 2 * 1024 * 1024;
/** The longest template, in characters: the limit of a ConfigMap. */
const LENGTH = 1024 * 1024;

const noFiles = {
  exists: async () => false,
  existsSync: () => false,
  contains: async () => false,
  containsSync: () => false,
  readFile: async () => '',
  readFileSync: () => '',
  resolve: (_directory: string, file: string) => file,
};

/** Takes the output where it is written. */
export interface Output {
  write(part: string): void;
  end(): void;
}

/**
 * Makes an engine for templates in which nothing runs code, reads files or sees inherited
 * properties; an unknown variable or filter is an error, not an empty string. What Liquid does not
 * count, captures and the text of arrays, is counted here.
 */
export function templateEngine() {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    ownPropertyOnly: true,
    fs: noFiles,
    relativeReference: false,
    parseLimit: LENGTH,
    memoryLimit: MEMORY,
  });
  engine.registerFilter('key_values', keyValues);
  engine.registerTag('capture', CountedCapture);
  for (const [name, filter] of Object.entries(engine.filters)) {
    engine.registerFilter(name, withSmallResult(filter));
  }
  return {
    parse: (text: string, path: string) => engine.parse(text, path),
    /** @throws LiquidError with the token that it was at. */
    render(templates: Template[], scope: object, output: Output): void {
      const context = new Context(scope, engine.options, { sync: true }, { liquid: engine });
      const emitter = { buffer: '', write: (value: unknown) => output.write(textOf(value)) };
      toValueSync(engine.renderer.renderTemplates(templates, context, emitter));
      output.end();
    },
  };
}

class CountedCapture extends CaptureTag {
  override *render(context: Context): Generator<unknown, void, string> {
    let text = '';
    const write = (value: unknown) => {
      const part = textOf(value);
      context.memoryLimit.use(part.length);
      text += part;
    };
    const emitter = { buffer: '', write };
    yield this.liquid.renderer.renderTemplates(this.templates, context, emitter);
    const scope = context.bottom() as Record<string, unknown>;
    scope[this.variable] = text;
  }
}

/**
 * Refuses a result whose text would take more than all that a template may create: an array that
 * was pushed into itself forty times has few elements, and a text of a terabyte; and a text that is
 * encoded again and again grows without being counted.
 */
function withSmallResult(filter: Liquid['filters'][string]): Liquid['filters'][string] {
  const { handler, raw = false } = typeof filter === 'function' ? { handler: filter } : filter;
  return {
    raw,
    *handler(...args: Parameters<typeof handler>): Generator<unknown, unknown, unknown> {
      const result = yield handler.apply(this, args);
      takeText(result, MEMORY);
      return result;
    },
  };
}

/** @returns what is left of a number of characters. @throws Error if it is not enough. */
function takeText(value: unknown, left: number): number {
  let rest = left - (typeof value === 'string' ? value.length : 1);
  if (Array.isArray(value)) for (const item of value) rest = takeText(item, rest);
  if (rest < 0) throw new Error('a value is larger than the memory alloc limit');
  return rest;
}

/** Liquid's own: arrays without separators, and nothing for what is not there. */
function textOf(given: unknown): string {
  const value = toValue(given);
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? value.map(textOf).join('') : String(value);
}
