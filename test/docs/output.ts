/**
 * Whether a command printed what a page shows. What differs from run to run counts as equal: times,
 * durations, addresses, and the width of columns. In the page, `…` stands for any text within a
 * line, and a line of its own for any lines.
 */
export function matchesOutput(actual: string, shown: string): boolean {
  const pattern = lines(shown)
    .map((line) => (line === '…' ? '(?:[^\\n]*\\n)*' : `${escaped(line)}\\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(
    lines(actual)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

function escaped(line: string): string {
  return line
    .split('…')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('[^\\n]*');
}

/** The lines with a placeholder for each thing that differs from run to run. */
function lines(text: string): string[] {
  return text
    .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, '<time>')
    .replace(/\b\d{1,3}(\.\d{1,3}){3}\b/g, '<address>')
    .replace(/\+?\b\d+(\.\d+)? ?(ms|s|m)\b/g, '<duration>')
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ' '))
    .filter((line) => line !== '');
}
