#!/usr/bin/env node
import { existsSync } from 'node:fs';
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
// A supervisor must not linger on a hook that is still being waited for, and `up` not after a Ctrl-C.
if (process.argv[2] === 'supervise' || process.argv[2] === 'up') process.exit(code);
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
    onSignal: (callback) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, callback);
    },
    print: (line) => void process.stdout.write(`${line}\n`),
  };
}

/** The detached half of `up`: looks after one Pod until it has ended. */
async function supervise(path: string): Promise<ExitCode> {
  // A terminal that closes, or a Ctrl-C meant for others, does not end a Pod: `pod down` does.
  for (const signal of ['SIGHUP', 'SIGINT'] as const) process.on(signal, () => {});
  const supervisor = new Supervisor(new PodFolder(path), new PodStore(storeRoot()).endpoints);
  process.on('SIGTERM', () => supervisor.terminate());
  await supervisor.run();
  return ExitCode.ok;
}

function storeRoot(): string {
  const { SIDEKIT_POD_DIR: own, XDG_RUNTIME_DIR: runtime } = process.env;
  if (own) return own;
  if (runtime) return join(runtime, 'sidekit-pod');
  const uid = process.getuid?.() ?? 0;
  return uid === 0 && existsSync('/run')
    ? '/run/sidekit-pod'
    : join(tmpdir(), `sidekit-pod-${uid}`);
}

function overview(): string {
  const helps = Object.values(COMMANDS).map(({ help }) => help);
  return `pod: runs Kubernetes Pods on Docker or Podman with the kubelet's lifecycle, without a cluster.\n\n${helps.join('\n')}`;
}

function say(text: string): ExitCode {
  process.stdout.write(text);
  return ExitCode.ok;
}
