import { ExitCode, ExpectedError, shownFaults } from '@sidekit/core/tool';

/** Everything that is wrong with the manifests, a sentence a line. Exit code 64. */
export class ManifestError extends ExpectedError {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(shownFaults(faults).join('\n'), ExitCode.usage);
    this.faults = faults;
  }
}
