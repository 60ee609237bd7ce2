import { ExitCode, UsageError } from '@sidekit/core/tool';
import { advice } from '../advice/advice.ts';
import { readInputs } from '../input/inputs.ts';
import { readArguments } from './arguments.ts';
import type { Session } from './session.ts';

export const checkHelp = `pod check FILE… [--strict] [--unsupported warn|refuse] [--allow-host]
  Validates manifests without starting anything, lists what reaches the host, and warns about
  what is valid and does not work in practice.
  Exit codes: 0 valid, 64 invalid; with --strict also 64 if there are warnings.
`;

/** Validates manifests, and prints notes and warnings. */
export async function check(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['allow-host', 'filename', 'strict', 'unsupported']);
  const files = [...args.words, ...args.files];
  if (files.length === 0) {
    throw new UsageError([{ name: 'FILE', rule: 'is missing', remedy: 'pod check my-pod.yaml' }]);
  }
  const strict = args.has('strict');
  const workload = await readInputs(files, {
    strict,
    unsupported: args.text('unsupported') === 'warn' ? 'warn' : 'refuse',
    allowHost: args.has('allow-host'),
  });
  const warnings = advice(workload);
  for (const line of workload.notes) session.print(line);
  for (const line of workload.hostAccess) session.print(`host: ${line}`);
  for (const line of warnings) session.print(`warning: ${line}`);
  const counts = [counted(workload.pods.length, 'Pod')];
  if (warnings.length > 0) counts.push(counted(warnings.length, 'warning'));
  session.print(`valid: ${counts.join(', ')}`);
  return strict && warnings.length > 0 ? ExitCode.usage : ExitCode.ok;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
