import { extname } from 'node:path';
import { errorText } from '@sidekit/core';
import { Failure } from '../failure.ts';

/**
 * The maximum number of tokens of a YAML file: its parser needs up to 400 bytes of memory for each.
 * JSON has no such limit.
 */
const YAML_TOKENS = 60_000;

/** Parses a `.json`, `.yaml` or `.yml` file; any other is its text. @throws {Failure} with the place. */
export async function parseData(text: string, path: string): Promise<unknown> {
  const extension = extname(path).toLowerCase();
  if (extension === '.json') return parseJson(text, path);
  if (extension === '.yaml' || extension === '.yml') return await parseYamlFile(text, path);
  return text;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    // The rest of a message quotes the file, which may be a Secret.
    const why = message.split(/ in JSON| JSON input|, "|, \.\.\./)[0];
    throw new Failure('data', `${path}${placeOf(message, text)} is not JSON (${why}): correct it`);
  }
}

/** Line and column in a message of JSON.parse, if it has them. */
function placeOf(message: string, text: string): string {
  const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec(message) ?? [];
  if (line !== undefined) return `:${line}:${column}`;
  if (!message.startsWith('Unexpected end')) return '';
  const lines = text.split('\n');
  return `:${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}

async function parseYamlFile(text: string, path: string): Promise<unknown> {
  const { excessOf, parseYaml } = await import('@sidekit/core/yaml');
  const excess = excessOf(text, { tokens: YAML_TOKENS });
  if (excess !== undefined) {
    throw new Failure('too_large', `${path} ${excess}: write it as JSON, or split it`);
  }
  const { document, faults } = parseYaml(text);
  const [fault] = faults;
  if (fault) {
    const { message, line, column } = fault;
    throw new Failure('data', `${path}:${line}:${column} is not YAML (${message}): correct it`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new Failure('data', `${path} cannot be used (${errorText(error)}): correct it`);
  }
}
