import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestProcess } from '@sidekit/test-kit';
import {
  hasLogrotate,
  type RotationResult,
  rotate,
  rotationCases,
} from '../packages/adapter/src/testing/logrotate.ts';
import {
  type Reader,
  type StormOptions,
  type StormResult,
  storm,
} from '../packages/adapter/src/testing/storm.ts';
import { isThere } from './adapter/peers.ts';
import { RsyslogRotations } from './adapter/rsyslog-rotations.ts';
import { stoodStill } from './adapter/run.ts';
import { numbers } from './support/numbers.ts';

/**
 * The storm: 20,000 lines/s into one log that is rotated by rename every 50 ms, or by
 * copytruncate every 500 ms, with and without a SIGKILL of the reader every 2 s; only the live
 * name is given. The adapter for the time given (60 s by default), the peers found on the
 * machine for 10 s. Then logrotate in all combinations of its options, or every N-th of them, for
 * the adapter and rsyslog on the same files. `--seconds=60`, `--every=1` (97 shares no factor with them).
 */
export async function run(args: readonly string[]): Promise<void> {
  const { seconds, every } = numbers(args, { seconds: 60, every: 1 });
  console.log(
    '| reader | rotation | kills | written | lost | duplicates | not told by their key |',
  );
  console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: |');
  for (const rotation of ROTATIONS) {
    await row('adapter', { ...rotation, seconds, killEvery: 2000 });
    for (const [name, program, reader] of PEERS) {
      if (!isThere(program)) continue;
      for (const killEvery of [0, 2000]) {
        await row(name, { ...rotation, seconds: Math.min(10, seconds), killEvery, reader });
      }
    }
  }
  console.log(
    '\nA peer watches before the first line is written. What it loses was renamed or truncated before it had read it, so the count grows with the load of the machine.',
  );
  if (hasLogrotate()) await rotations(every);
}

/** The number of logs that are rotated side by side. */
const AT_ONCE = 60;

/** Prints what the adapter and rsyslog lose and double in logrotate's combinations. */
async function rotations(every: number): Promise<void> {
  const cases = rotationCases().filter((_, i) => i % every === 0);
  const ours: RotationResult[] = [];
  const theirs: RotationResult[] = [];
  for (let i = 0; i < cases.length; i += AT_ONCE) {
    const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-logrotate-'));
    try {
      const peer = isThere('rsyslogd') ? new RsyslogRotations(directory) : undefined;
      const results = await rotate(cases.slice(i, i + AT_ONCE), directory, peer);
      ours.push(...results.adapter);
      theirs.push(...results.peer);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  console.log(`\n${cases.length} combinations of logrotate's options, 4 rotations each\n`);
  console.log(
    '| method | reader | cases | written | adapter lost | twice | rsyslog lost | twice |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
  );
  for (const method of new Set(cases.map(({ directives }) => directives[0]!))) {
    for (const mode of ['up', 'down', 'dead output'] as const) {
      const isOne = ({ case: one }: RotationResult) =>
        one.mode === mode && one.directives[0] === method;
      const own = ours.filter(isOne);
      if (own.length === 0) continue;
      const sum = (key: 'written' | 'lost' | 'twice', of = own) =>
        of.reduce((total, one) => total + one[key].length, 0);
      const other = theirs.filter(isOne);
      const peer = other.length === 0 ? ['–', '–'] : [sum('lost', other), sum('twice', other)];
      const cells = [own.length, sum('written'), sum('lost'), sum('twice'), ...peer];
      console.log(`| ${[method, mode, ...cells].join(' | ')} |`);
    }
  }
}

/** A peer that put nothing out for so many milliseconds has nothing more to come. */
const QUIET = 6000;

const ROTATIONS = [
  { manner: 'rename', rotateEvery: 50 },
  { manner: 'copytruncate', rotateEvery: 500 },
] as const;

async function row(name: string, options: Omit<StormOptions, 'directory' | 'rate'>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-storm-'));
  try {
    const { manner, rotateEvery } = options;
    const result: StormResult = await storm({ ...options, directory, rate: 20_000 });
    const { kills, written, lost, duplicates, unrecognised } = result;
    const keys = options.reader ? '–' : unrecognised;
    const rotation = `${manner}, ${rotateEvery} ms`;
    console.log(`| ${[name, rotation, kills, written, lost, duplicates, keys].join(' | ')} |`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function rsyslog(live: string, directory: string): Reader {
  const work = join(directory, 'rsyslog');
  const out = join(directory, 'out.txt');
  mkdirSync(work);
  writeFileSync(
    join(work, 'rsyslog.conf'),
    `global(workDirectory="${work}")
module(load="imfile" mode="inotify")
template(name="line" type="string" string="%msg%\\n")
ruleset(name="r") { action(type="omfile" file="${out}" template="line") }
input(type="imfile" file="${live}" tag="x" ruleset="r" reopenOnTruncate="on" persistStateInterval="100" freshStartTail="off")
`,
  );
  const argv = ['-n', '-f', join(work, 'rsyslog.conf'), '-i', join(work, 'pid')];
  return {
    out,
    start: () => {
      // A killed one leaves its file behind, which the next takes for a running daemon.
      rmSync(join(work, 'pid'), { force: true });
      return new TestProcess('rsyslogd', argv);
    },
    watches: hasInotify,
    drained: stoodStill(out, QUIET),
  };
}

function fluentBit(live: string, directory: string): Reader {
  const work = join(directory, 'fluent-bit');
  const out = join(directory, 'out.txt');
  mkdirSync(work);
  writeFileSync(
    join(work, 'fluent-bit.conf'),
    `[SERVICE]\n  Flush 0.2\n[INPUT]\n  Name tail\n  Path ${live}\n  Read_from_Head true\n  DB ${work}/db\n  Rotate_Wait 5\n[OUTPUT]\n  Name file\n  Match *\n  File ${out}\n  Format plain\n`,
  );
  return {
    out,
    start: () => new TestProcess('fluent-bit', ['-c', join(work, 'fluent-bit.conf')]),
    watches: hasInotify,
    drained: stoodStill(out, QUIET),
  };
}

/** Whether a process has opened inotify, which these peers do last. */
function hasInotify({ child }: TestProcess): boolean {
  const descriptors = `/proc/${child.pid}/fd`;
  return readdirSync(descriptors).some((fd) =>
    readlinkSync(join(descriptors, fd)).includes('inotify'),
  );
}

const PEERS: readonly (readonly [
  name: string,
  program: string,
  reader: (live: string, directory: string) => Reader,
])[] = [
  ['rsyslog', 'rsyslogd', rsyslog],
  ['Fluent Bit', 'fluent-bit', fluentBit],
];
