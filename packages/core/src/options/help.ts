import { fieldSchema } from './composites.ts';
import { flagName, type OptionTable, variableName } from './table.ts';

/** The text of `--help`, at most 100 columns wide. */
export function helpText(table: OptionTable): string {
  const { command, summary, operands } = table;
  const usage = [
    command,
    '[options]',
    operands ? `${operands.label}…` : '',
    operands?.command ? '[-- command …]' : '',
  ].filter(Boolean);
  const parts = [`${command}: ${summary}`, '', `Usage: ${usage.join(' ')}`, ''];
  if (operands) parts.push(...wrap(operands.description, 2), '');
  parts.push('Options:');
  for (const [key, option] of Object.entries(table.options)) {
    if (option.type.fileOnly) continue;
    parts.push(`  ${flagName(key)}${option.type.flag ? '' : ` <${option.type.label}>`}`);
    parts.push(...wrap(`${plain(option.description)}${defaultText(option)}`, 6));
  }
  if (table.config !== false) {
    parts.push(
      '  --config <path>',
      ...wrap('A YAML or JSON file with options, each under its name in camelCase.', 6),
    );
  }
  parts.push('  --help, --version');
  if (table.config !== false) {
    const fileOnly = Object.entries(table.options).filter(([, option]) => option.type.fileOnly);
    if (fileOnly.length > 0) {
      parts.push('', 'Only in the file:');
      for (const [key, option] of fileOnly)
        parts.push(`  ${key}`, ...wrap(plain(option.description), 6));
    }
  }
  parts.push('');
  parts.push(
    ...wrap(
      `Each option is also an environment variable, such as ${variableName(table.prefix, Object.keys(table.options)[0] ?? 'config')}. Flags go before variables, variables before the file.`,
      0,
    ),
  );
  if (table.examples) {
    parts.push('', 'Examples:');
    for (const [line, remark] of table.examples) parts.push(`  ${line}`, ...wrap(remark, 6));
  }
  return `${parts.join('\n')}\n`;
}

/** The options as the Markdown table of a package's README. */
export function markdownTable(table: OptionTable): string {
  const rows = Object.entries(table.options).map(([key, option]) => {
    const name = option.type.fileOnly ? `\`${key}\` (file only)` : `\`${flagName(key)}\``;
    const usual = option.required
      ? '*required*'
      : option.default === undefined || option.default === null
        ? ''
        : `\`${option.type.format(option.default) || '(empty)'}\``;
    const cells = [name, option.description, usual, option.type.label];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| option | meaning | default | type |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

/** The JSON Schema of the command's configuration file. */
export function jsonSchema(table: OptionTable): Record<string, unknown> {
  const required = Object.keys(table.options).filter(
    (key) => table.options[key]?.required && table.options[key]?.type.fileOnly,
  );
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${table.command} configuration`,
    description: table.summary,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(table.options).map(([key, option]) => [key, fieldSchema(option)]),
    ),
    ...(required.length > 0 ? { required } : {}),
  };
}

function defaultText(option: OptionTable['options'][string]): string {
  if (option.required) return ' Required.';
  if (option.default === undefined || option.default === null || option.type.flag) return '';
  const text = option.type.format(option.default);
  return text === '' ? '' : ` Default: ${text}`;
}

/** Markdown's code marks mean nothing on a terminal. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line && indent + line.length + 1 + word.length > 100) {
      lines.push(' '.repeat(indent) + line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, ' '.repeat(indent) + line];
}
