import { ExitCode, ExpectedError } from '@sidekit/core/tool';

/** The most faults that are shown. */
const SHOWN = 100;

/** Everything that is wrong with the manifests, a sentence a line. Exit code 64. */
export class ManifestError extends ExpectedError {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const more = faults.length - SHOWN;
    const shown = more > 0 ? [...faults.slice(0, SHOWN), `and ${more} more`] : faults;
    super(shown.join('\n'), ExitCode.usage);
    this.faults = faults;
  }
}
