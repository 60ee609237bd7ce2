/**
 * The word check: the project writes as the Kubernetes documentation does, and these words and
 * phrases do not. It reads whole files, so that names are checked too. Ambiguous words (where,
 * beside, look) are left to reviewers; CONTRIBUTING.md lists both.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Phrases as regular expressions, each with what to write instead. A space also matches a line break. */
const INSTEAD: readonly (readonly [phrase: string, instead: string])[] = [
  ['anew', 'again, or a verb with re-: recreated'],
  ['octets', 'bytes'],
  ['mend(s|ed|ing)?', 'fix'],
  ['weakness(es)?', 'vulnerability'],
  ['births', 'creation'],
  ['deaths', 'exits'],
  ['owed', 'pending'],
  ['(is|are|was|were|be|been|being) told', 'is notified, is asked'],
  ['(each|every) look', 'every check'],
  ['looks(?! like)', 'checks, appears'],
  ['came of', 'the result'],
  ['(hold|holds|held) up', 'pauses, delays'],
  ['(say|says|said) nothing of', 'does not report'],
  ['(go|goes|going|went) on with', 'continues with'],
  ['whole,? or not at all', 'complete or not at all'],
  ['whole-or-not-at-all', 'complete or not at all'],
  ['for want of', 'because there is no'],
  ['still at it', 'still running'],
  ['in the same go', 'together'],
  ['often said', 'Common misconceptions'],
  ['what you may rely on', 'Guarantees'],
  ['#+ When not\\n', 'When not to use it'],
  ['(asunder|betimes|forthwith|lest|naught|thence|thrice|whence|wherein)', 'a word of today'],
  ['/\\*\\* (What|Where|Of) [^*]*', 'a doc comment that begins with a verb or names the thing'],
];

/** Two parts of a phrase may be on two lines of a comment. */
const GAP = String.raw`\s+(?:(?:\*|//)\s+)?`;
const RULES = INSTEAD.map(([phrase, instead]) => ({
  pattern: new RegExp(
    String.raw`(?<![\w])(?:${phrase.replaceAll(' ', GAP)})(?![\w])`,
    /[A-Z]/.test(phrase) ? 'g' : 'gi',
  ),
  instead,
}));

const CHECKED = '**/*.{ts,mjs,cjs,js,c,md,yaml,yml,html,css}';
/** The list of words itself, and what others wrote: recorded traffic and what npm installed. */
const UNCHECKED = /(^|\/)(node_modules|dist|corpus|\.git)\/|^CONTRIBUTING\.md$|checks\/words\./;

/** Every use of a refused word below `root`, in files whose path begins with one of `paths`. */
export function wordFaults(root: string, paths: readonly string[] = []): string[] {
  const exclude = (path: string) => /(^|\/)(node_modules|dist)$/.test(path);
  return globSync([CHECKED, '{.github,.ci}/**'], { cwd: root, exclude })
    .filter((path) => /\w\.\w+$/.test(path) && !UNCHECKED.test(path))
    .filter((path) => paths.length === 0 || paths.some((start) => path.startsWith(start)))
    .toSorted()
    .flatMap((path) =>
      textFaults(readFileSync(join(root, path), 'utf8')).map((fault) => `${path}:${fault}`),
    );
}

/** The faults of one text, each as `LINE: sentence`, in the order of lines. */
export function textFaults(text: string): string[] {
  return RULES.flatMap(({ pattern, instead }) =>
    [...text.matchAll(pattern)].map((match) => {
      const found = match[0].replace(/\s+/g, ' ').trim().slice(0, 40);
      const line = text.slice(0, match.index).split('\n').length;
      return { line, fault: `${line}: '${found}': write ${instead}` };
    }),
  )
    .toSorted((a, b) => a.line - b.line)
    .map(({ fault }) => fault);
}
