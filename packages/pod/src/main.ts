#!/usr/bin/env node
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExitCode, nearest, reportFailure, UsageError, version } from '@sidekit/core';
import { down, downHelp } from './commands/down.ts';
import { events, eventsHelp } from './commands/events.ts';
import { exec, execHelp } from './commands/exec.ts';
import { logs, logsHelp } from './commands/logs.ts';
import { ps, psHelp } from './commands/ps.ts';
import type { Session } from './commands/session.ts';
import { up, upHelp } from './commands/up.ts';
import { PodFolder, PodStore } from './supervisor/store.ts';
import { Supervisor } from './supervisor/supervisor.ts';

interface Command {
  readonly help: string;
  readonly run: (argv: readonly string[], session: Session) => Promise<ExitCode> | ExitCode;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  up: { help: upHelp, run: up },
  ps: { help: psHelp, run: ps },
  logs: { help: logsHelp, run: logs },
  exec: { help: execHelp, run: exec },
  events: { help: eventsHelp, run: events },
  down: { help: downHelp, run: down },
};

const code = await main(process.argv.slice(2));
// A supervisor that failed half-way must not linger on what it could not close.
if (process.argv[2] === 'supervise') process.exit(code);
process.exitCode = code;

async function main([name = '--help', ...argv]: readonly string[]): Promise<ExitCode> {
  try {
    if (name === '--help' || name === '-h' || name === 'help') return say(overview());
    if (name === '--version') return say(`${version}\n`);
    if (name === 'supervise' && argv[0] !== undefined) return await supervise(argv[0]);
    const command = COMMANDS[name];
    if (!command) {
      throw new UsageError([
        { name, rule: 'is not a command', remedy: nearest(name, Object.keys(COMMANDS)) },
      ]);
    }
    const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
    if (own.includes('--help') || own.includes('-h')) return say(command.help);
    return await command.run(argv, makeSession());
  } catch (error) {
    return reportFailure(error, 'pod');
  }
}

function makeSession(): Session {
  return {
    store: new PodStore(storeRoot()),
    terminal: {
      live: process.stdout.isTTY === true,
      colours: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    },
    engine: process.env.POD_ENGINE || undefined,
    program: fileURLToPath(import.meta.url),
    environment: process.env,
    print: (line) => void process.stdout.write(`${line}\n`),
    onInterrupt,
  };
}

function onInterrupt(stop: () => Promise<number>): () => void {
  const interrupted = () => {
    stop().then(
      (exitCode) => process.exit(exitCode),
      (error) => process.exit(reportFailure(error, 'pod')),
    );
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  return () => {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  };
}

/** The detached half of `up`: looks after one Pod until it has ended. */
async function supervise(path: string): Promise<ExitCode> {
  // A terminal that closes, or a Ctrl-C meant for others, does not end a Pod: `pod down` does.
  for (const signal of ['SIGHUP', 'SIGINT'] as const) process.on(signal, () => {});
  await new Supervisor(new PodFolder(path), new PodStore(storeRoot()).endpoints).run();
  return ExitCode.ok;
}

function storeRoot(): string {
  return process.env.SIDEKIT_POD_DIR ?? join(tmpdir(), `sidekit-pod-${process.getuid?.() ?? 0}`);
}

function overview(): string {
  const helps = Object.values(COMMANDS).map(({ help }) => help);
  return `pod: runs Kubernetes Pods on Docker or Podman with the kubelet's lifecycle, without a cluster.\n\n${helps.join('\n')}`;
}

function say(text: string): ExitCode {
  process.stdout.write(text);
  return ExitCode.ok;
}
