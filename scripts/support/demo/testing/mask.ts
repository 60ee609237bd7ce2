/** Parts of a line that vary from run to run, and the text that stands for them. */
const MASKS: readonly (readonly [varies: RegExp, shown: string])[] = [
  // It may have waited first, and the line is cut to the terminal.
  [/· wait-for: (?:waiting for )?(\S+): .*$/, '· wait-for: $1'],
  [/\b\d+\.\d+ ?s\b/g, 'N s'],
  [/\b\d+ ms\b/g, 'N ms'],
  [/ \(\d+ (times|lines)\)/g, ''],
  [/(killed after|served its) \d+/g, '$1 N'],
  [/, (each once|\d+ of them twice)/g, ', once or twice'],
  [/\b\d+ records were lost/g, 'N records were lost'],
  [/\b\d of 5 messages/g, 'N of 5 messages'],
  [/(Produced|Consumed): (?!done)\w+/g, '$1: XX'],
  [/\b\d+\.\d+\.\d+\.\d+(:\d+)?/g, 'ADDRESS'],
  [/\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} UTC \d{4}/g, 'DATE'],
];

/**
 * Says that something was tried too early, how large the machine is, or that a service was checked:
 * once, often or never.
 */
const PASSING =
  /^ +\S+ +· .*(grpc\.health|failed|not resolved|recovered|trying again|file descriptors|\b(409|499|50\d)\b|refused|GET .*GET )/;
const OF_CONTAINER = /^ +\S+ +[·→←] /;

/**
 * Masks what the demo prints of one Pod. The lines of its containers are sorted, since those that
 * start together log in any order.
 */
export function masked(lines: readonly string[]): string {
  const kept = unfolded(lines)
    .filter((line) => !PASSING.test(line))
    .map(maskedLine);
  const result: string[] = [];
  let group: string[] = [];
  for (const line of [...kept, '']) {
    if (OF_CONTAINER.test(line)) {
      group.push(line);
      continue;
    }
    result.push(...group.toSorted(), line);
    group = [];
  }
  return result.join('\n');
}

/** Joins what was folded to the terminal, since numbers of another length fold elsewhere. */
function unfolded(lines: readonly string[]): string[] {
  const result: string[] = [];
  for (const line of lines) {
    if (line.startsWith('    ')) result.push(`${result.pop() ?? ''} ${line.trimStart()}`);
    else result.push(line);
  }
  return result;
}

function maskedLine(line: string): string {
  return MASKS.reduce((text, [varies, shown]) => text.replace(varies, shown), line);
}
