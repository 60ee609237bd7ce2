/** A fenced shell block of a Markdown file, and the output that it promises. */
export interface ShellBlock {
  /** The line of its first command, from 1. */
  readonly line: number;
  readonly script: string;
  /** The `text` block that follows it directly. */
  readonly output: string | undefined;
  /** The need that its first line states: `# Needs a cluster.` */
  readonly need: Need | undefined;
}

/** The needs that a block may state, as the reader sees them in its first line. */
export const NEEDS = {
  cluster: '# Needs a cluster.',
  minutes: '# Takes minutes.',
  compose: '# Needs docker compose.',
} as const;
export type Need = keyof typeof NEEDS;

const FENCE = /^( *)```(\S*)[^\n]*\n([\s\S]*?)^\1```$/gm;
/** Names that readers also give to shell blocks: a block so fenced would escape the test. */
const OTHER_SHELLS = new Set(['bash', 'shell', 'console', 'zsh', 'sh-session']);

/**
 * The shell blocks of a text, in their order.
 * @throws Error where a block is fenced as another shell or its first comment is no known need.
 */
export function shellBlocks(text: string): ShellBlock[] {
  const fences = [...text.matchAll(FENCE)];
  return fences.flatMap((fence, i) => {
    const [whole, indent = '', language = '', body = ''] = fence;
    const line = text.slice(0, fence.index).split('\n').length + 1;
    if (OTHER_SHELLS.has(language)) throw new Error(`line ${line - 1}: fence it as sh`);
    if (language !== 'sh') return [];
    const next = fences[i + 1];
    const between = next && text.slice(fence.index + whole.length, next.index);
    const output = next?.[2] === 'text' && between?.trim() === '' ? next[3] : undefined;
    const script = indent ? body.replaceAll(`\n${indent}`, '\n').slice(indent.length) : body;
    return [{ line, script, output, need: needOf(script, line) }];
  });
}

function needOf(script: string, line: number): Need | undefined {
  const [first = ''] = script.split('\n');
  for (const [need, words] of Object.entries(NEEDS)) if (first === words) return need as Need;
  if (/^# (Needs|Takes)/.test(first)) {
    throw new Error(`line ${line}: ${first} is none of ${Object.values(NEEDS).join(' ')}`);
  }
  return undefined;
}
