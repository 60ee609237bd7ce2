/** Calm, aligned output for the project's commands. */

/** A terminal that moves its cursor. */
const terminal = process.stdout.isTTY && process.env.TERM !== 'dumb';
const colours = terminal && process.env.NO_COLOR === undefined;
const COLOUR = /\x1b\[\d+m/g;

export const bold = (text: string) => paint('1', text);
export const dim = (text: string) => paint('2', text);
export const green = (text: string) => paint('32', text);
export const red = (text: string) => paint('31', text);

function paint(code: string, text: string): string {
  return colours ? `\x1b[${code}m${text}\x1b[0m` : text;
}

export function heading(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** Seconds since `start` (of performance.now), as `1.4 s`. */
export function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/**
 * Says what is being done, then how long it took. What takes over two seconds shows that it is
 * alive: a counting line on a terminal, a line each 20 s elsewhere.
 */
export async function step<T>(text: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const live = terminal;
  const timer = setInterval(
    () => {
      if (live) process.stdout.write(`\r  ${text} … ${seconds(start)} `);
      else console.log(`  ${text}: still running after ${seconds(start)}`);
    },
    live ? 1000 : 20_000,
  );
  const end = (mark: string) => {
    clearInterval(timer);
    console.log(`${live ? '\r\x1b[K' : ''}  ${mark} ${text} ${dim(`(${seconds(start)})`)}`);
  };
  try {
    const value = await work();
    end(green('✓'));
    return value;
  } catch (error) {
    end(red('✗'));
    throw error;
  }
}

/** Rows as left-aligned columns; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths =
    rows[0]?.map((_, i) => Math.max(...rows.map((row) => visible(row[i] ?? '')))) ?? [];
  return rows
    .map((row, r) => {
      const cells = row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - visible(cell)));
      const line = `  ${cells.join('  ').trimEnd()}`;
      return r === 0 ? bold(line) : line;
    })
    .join('\n');
}

/**
 * The columns of the terminal, or of `COLUMNS` where there is none, within what can be read: from 40
 * to 200.
 */
export function terminalWidth(): number {
  const columns = process.stdout.columns || Number(process.env.COLUMNS) || 80;
  return Math.min(Math.max(columns, 40), 200);
}

/** Cuts a text between words if it is wider than `width` columns; colours take none. */
export function cut(text: string, width: number): string {
  if (visible(text) <= width) return text;
  const plain = text.replace(COLOUR, '');
  const space = plain.lastIndexOf(' ', width - 2);
  return `${plain.slice(0, space > width / 2 ? space : width - 2)} …`;
}

/** Folds a text between words into lines of at most `width` columns. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

function visible(text: string): number {
  return text.replace(COLOUR, '').length;
}
