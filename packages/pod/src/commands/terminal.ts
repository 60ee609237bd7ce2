/** Colours, aligned columns, and lines that are rewritten on a terminal. */

const PALETTE = ['36', '33', '35', '32', '34', '91', '96', '93'];

export interface Terminal {
  readonly live: boolean;
  readonly colours: boolean;
}

export function paint(terminal: Terminal, code: string, text: string): string {
  return terminal.colours ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** The prefix of a container's lines, in a colour of its own. */
export function prefix(terminal: Terminal, name: string, index: number, width: number): string {
  return paint(terminal, PALETTE[index % PALETTE.length] ?? '0', `${name.padEnd(width)} |`);
}

/** A text in one line: the output of a command cannot pretend to be lines of its own. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*[\r\n]\s*/g, ' ');
}

/** Rows as columns, each as wide as its widest cell. */
export function columns(table: readonly (readonly string[])[]): string {
  const rows = table.map((row) => row.map(oneLine));
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** A length of time as kubectl shows it: `5s`, `3m12s`, `2h5m`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
