import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The peers found on this machine, configured to do the adapter's work. */
export interface Peer {
  readonly name: string;
  /** The command line that reads `from` and writes JSON lines to `to` (mtail only counts). */
  command(directory: string, from: string, to: string): string[];
}

const RULE =
  'rule=:%remote_addr:word% %ident:word% %user:word% [%time:char-to:]%] "%method:word% %path:word% %protocol:char-to:"%" %{"name":"status","type":"number","format":"number"}% %{"name":"bytes","type":"number","format":"number"}% "%referer:char-to:"%" "%agent:char-to:"%"\n';

/**
 * The quickest that was found: no queue between reading and writing, and no metadata on each
 * message (imfile adds them where not told otherwise, which alone halves the speed).
 */
export const rsyslogFor = (format: 'combined' | 'json'): Peer => ({
  name: `rsyslog (imfile + ${format === 'json' ? 'mmjsonparse' : 'mmnormalize'})`,
  command: (directory, from, to) => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'rules'), `version=2\n${RULE}`);
    writeFileSync(
      join(directory, 'rsyslog.conf'),
      `global(workDirectory="${directory}")
module(load="imfile" mode="inotify")
module(load="mmnormalize")
module(load="mmjsonparse")
template(name="json" type="list") { property(name="$!all-json-plain") constant(value="\\n") }
ruleset(name="r" queue.type="direct") {
  ${
    format === 'json'
      ? 'action(type="mmjsonparse" cookie="")'
      : `action(type="mmnormalize" rulebase="${directory}/rules")`
  }
  action(type="omfile" file="${to}" template="json" asyncWriting="off" ioBufferSize="256k" flushOnTXEnd="off")
}
input(type="imfile" file="${from}" tag="x" ruleset="r" addMetadata="off")
`,
    );
    const pid = join(directory, 'pid');
    return ['rsyslogd', '-n', '-f', join(directory, 'rsyslog.conf'), '-i', pid];
  },
});

const fluentBit: Peer = {
  name: 'Fluent Bit (larger buffer)',
  command: (directory, from, to) => {
    mkdirSync(directory, { recursive: true });
    const format =
      '^(?<remote_addr>[^ ]*) [^ ]* (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+) (?<path>[^ ]*) (?<protocol>[^"]*)" (?<status>\\d+) (?<bytes>\\S+) "(?<referer>[^"]*)" "(?<agent>[^"]*)"';
    writeFileSync(
      join(directory, 'parsers.conf'),
      `[PARSER]\n  Name combined\n  Format regex\n  Regex ${format}\n  Time_Key time\n  Time_Format %d/%b/%Y:%H:%M:%S %z\n`,
    );
    writeFileSync(
      join(directory, 'fluent-bit.conf'),
      `[SERVICE]\n  Flush 0.2\n  Parsers_File parsers.conf\n[INPUT]\n  Name tail\n  Path ${from}\n  Parser combined\n  Read_from_Head true\n  DB ${directory}/db\n  Buffer_Chunk_Size 1M\n  Buffer_Max_Size 4M\n  Mem_Buf_Limit 64M\n[OUTPUT]\n  Name file\n  Match *\n  File ${to}\n  Format plain\n`,
    );
    return ['fluent-bit', '-c', join(directory, 'fluent-bit.conf')];
  },
};

const vector: Peer = {
  name: 'Vector',
  command: (directory, from, to) => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      join(directory, 'vector.yaml'),
      `data_dir: ${directory}
sources: {in: {type: file, include: [${from}], read_from: beginning}}
transforms: {p: {type: remap, inputs: [in], source: '. = parse_apache_log!(.message, "combined")'}}
sinks: {out: {type: file, inputs: [p], path: ${to}, encoding: {codec: json}}}
`,
    );
    return ['vector', '--config', join(directory, 'vector.yaml')];
  },
};

const PROGRAMS: readonly (readonly [program: string, peer: Peer])[] = [
  ['rsyslogd', rsyslogFor('combined')],
  ['fluent-bit', fluentBit],
  ['vector', vector],
];

export function foundPeers(): Peer[] {
  return PROGRAMS.filter(([program]) => isThere(program)).map(([, peer]) => peer);
}

export function isThere(program: string): boolean {
  if (['/usr/sbin', '/opt/fluent-bit/bin'].some((place) => existsSync(join(place, program)))) {
    return true;
  }
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** mtail only counts; it shows what reading and matching cost. */
export function mtailCommand(
  directory: string,
  from: string,
  format: 'combined' | 'json' = 'combined',
): string[] {
  mkdirSync(directory, { recursive: true });
  const pattern =
    format === 'json'
      ? '"method":"(?P<method>[A-Z]+)".*"statusCode":(?P<status>\\d{3})'
      : '"(?P<method>[A-Z]+) \\S+ [^"]*" (?P<status>\\d{3}) ';
  writeFileSync(
    join(directory, 'access.mtail'),
    `counter requests by method, status\n/${pattern}/ {\n  requests[$method][$status]++\n}\n`,
  );
  const program = join(directory, 'access.mtail');
  return ['mtail', '-one_shot', '-progs', program, '-logs', from, '-logtostderr'];
}
