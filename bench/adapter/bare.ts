/** The loop that the adapter is measured against: read, match, stringify, write. Nothing else. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const [kind = 'combined', from = '', to = ''] = process.argv.slice(2);
const COMBINED =
  /^(\S+) (\S+) (\S+) \[([^\]]+)\] "(\S+) (\S+) ([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"$/;

function combined(line: string): string {
  const match = COMBINED.exec(line);
  if (!match) return '';
  const record = {
    remote_addr: match[1],
    ident: match[2],
    user: match[3],
    time: match[4],
    method: match[5],
    path: match[6],
    protocol: match[7],
    status: Number(match[8]),
    bytes: Number(match[9]),
    referer: match[10],
    user_agent: match[11],
  };
  return `${JSON.stringify(record)}\n`;
}

const convert =
  kind === 'json' ? (line: string) => `${JSON.stringify(JSON.parse(line))}\n` : combined;
const input = openSync(from, 'r');
const output = openSync(to, 'w');
const buffer = Buffer.allocUnsafe(1024 * 1024);
let rest = '';
for (let read = readSync(input, buffer); read > 0; read = readSync(input, buffer)) {
  const lines = (rest + buffer.toString('utf8', 0, read)).split('\n');
  rest = lines.pop() ?? '';
  let text = '';
  for (const line of lines) text += convert(line);
  writeSync(output, text);
}
closeSync(input);
closeSync(output);
