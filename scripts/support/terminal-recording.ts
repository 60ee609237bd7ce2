import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

/** A line of output, and when it appeared, in milliseconds. */
interface RecordedLine {
  readonly at: number;
  readonly text: string;
}

const ROW = 20;
const COLUMN = 8.4;
const PADDING = 16;
/** The whole picture is shown this long before it starts over, in milliseconds. */
const REST = 6000;
/** The pause after a command, so that it can be read, in milliseconds. */
const BEAT = 700;

/** Records commands and what they print, line by line, as an SVG that plays by itself. */
export class TerminalRecording {
  readonly #lines: RecordedLine[] = [];
  readonly #environment: NodeJS.ProcessEnv;
  #now = 0;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /**
   * Runs a command to its end; `shown` is what the reader would type.
   * @throws Error if it fails.
   */
  async run(shown: string, command: string, args: readonly string[]): Promise<void> {
    this.#add(`$ ${shown}`);
    this.#now += BEAT;
    const start = performance.now();
    const begin = this.#now;
    const child = spawn(command, args, {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.#now = begin + performance.now() - start;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#add(stripVTControlCharacters(line));
    });
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`${shown} ended with ${code}`);
    this.#now = begin + performance.now() - start + BEAT;
  }

  #add(text: string) {
    this.#lines.push({ at: this.#now, text });
  }

  /** Draws the recording; each line fades in at its time. */
  toSvg(title: string, columns: number): string {
    const total = this.#now + REST;
    const width = Math.round(columns * COLUMN + 2 * PADDING);
    const height = this.#lines.length * ROW + 2 * PADDING;
    const rows = this.#lines.map(({ at, text }, i) => {
      const shown = text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
      const percent = ((at / total) * 100).toFixed(2);
      const frames = `@keyframes l${i}{0%,${percent}%{opacity:0}${(Number(percent) + 0.01).toFixed(2)}%,100%{opacity:1}}`;
      const style = `.l${i}{animation:l${i} ${(total / 1000).toFixed(1)}s infinite}`;
      const y = PADDING + (i + 0.75) * ROW;
      const kind = text.startsWith('$ ') ? ' class="command"' : '';
      return {
        style: frames + style,
        row: `<g class="l${i}"><text x="${PADDING}" y="${y}"${kind} xml:space="preserve">${escapeXml(shown)}</text></g>`,
      };
    });
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${escapeXml(title)}</title>
<style>text{font:14px ui-monospace,monospace;fill:#e6edf3}.command{fill:#6cb6ff}@media (prefers-reduced-motion:no-preference){${rows.map(({ style }) => style).join('')}}</style>
<rect width="100%" height="100%" rx="10" fill="#0f1318"/>
${rows.map(({ row }) => row).join('\n')}
</svg>
`;
  }
}

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c);
}
