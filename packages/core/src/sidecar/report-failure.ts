import {
  ExitCode,
  ExpectedError,
  errorText,
  faultText,
  shownFaults,
  UsageError,
  visible,
} from '../errors.ts';
import { writeStderr } from '../observe/stderr.ts';

/** Prints what ended a program, as sentences on stderr, and returns its exit code. */
export function reportFailure(error: unknown, name: string): ExitCode {
  if (error instanceof UsageError) {
    const faults = shownFaults(error.faults.map(faultText)).join('\n  ');
    writeStderr(`${name}: the configuration is wrong:\n  ${visible(faults)}\nSee --help.\n`);
    return error.exitCode;
  }
  if (error instanceof ExpectedError) {
    writeStderr(`${name}: ${visible(error.message)}\n`);
    return error.exitCode;
  }
  writeStderr(
    `${name}: unexpected error: ${visible(errorText(error))}\n${error instanceof Error ? error.stack : ''}\n`,
  );
  return ExitCode.internal;
}
