import { readFileSync } from 'node:fs';

/**
 * Returns what a task does and which arguments it takes: the comment at the head of its script.
 * @param path of the script.
 */
export function taskHelp(path: string | URL): string {
  const [, comment = ''] = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(path, 'utf8')) ?? [];
  return comment.replace(/^ *\* ?/gm, '').trim();
}
