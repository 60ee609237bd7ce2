import { ExpectedError, errorText } from '@sidekit/core/tool';

/** A file or folder of the store cannot be written, since the disk is full, for one. */
export class Unwritable extends ExpectedError {
  constructor(path: string, error: unknown) {
    super(
      `${path} cannot be written: ${errorText(error)}; free space there, or set SIDEKIT_POD_DIR to another folder`,
    );
  }
}
