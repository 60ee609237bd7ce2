import {
  adminTokenOption,
  boolean,
  commonOptions,
  defineOptions,
  duration,
  integer,
  list,
  object,
  option,
  path,
} from '@sidekit/core';
import { type FileOptions, fileOptions } from './file-options.ts';
import { type FileSpec, readSpecs } from './file-spec.ts';

/** The options of the process, and those of a single file. */
export const table = defineOptions({
  command: 'file-writer',
  summary: 'puts files where the application reads them, complete or not at all',
  prefix: 'FILE_WRITER',
  options: {
    ...fileOptions,
    files: option(list(object(partial(fileOptions))), {
      description:
        'Many files, each with its own `source` and `target`; options outside the list are the defaults of each.',
    }),
    once: option(boolean, {
      description:
        'Write every file once and exit: for init containers. Exit code 69 if that fails.',
      default: false,
    }),
    onceTimeout: option(duration(0, 86_400_000), {
      description: 'With `--once`: the longest time to try.',
      default: 60_000,
    }),
    concurrency: option(integer(1, 1000), {
      description: 'How many sources are checked at the same time.',
      default: 16,
    }),
    syncSecretFile: option(path, {
      description:
        "A file with the secret of a git host's webhooks: `POST /sync` with their signature (HMAC-SHA256), or GitLab's token, is accepted from anywhere.",
    }),
    ...adminTokenOption,
    ...commonOptions(':9903'),
  },
  check: (values, _operands, report) => void readSpecs(values, report),
  examples: [
    [
      'file-writer --source clock --target /html/index.html --interval 1s',
      'Append the date to a page each second.',
    ],
    [
      'file-writer --source git --repository https://example.com/site.git --ref main --target /html/site',
      'Follow a branch; /html/site is a link to the newest version.',
    ],
    [
      'file-writer --once --source http --url https://example.com/model.bin --sha256 … --target /data/model.bin',
      'Load data in an init container.',
    ],
  ],
});

/** Returns the files of a validated configuration. */
export function fileSpecs(values: Parameters<typeof readSpecs>[0]): readonly FileSpec[] {
  return readSpecs(values, (fault) => {
    throw new Error(`unchecked configuration: ${fault.name} ${fault.rule}`);
  });
}

/** Removes the defaults: in the list of files, what is left out is inherited. */
function partial(options: FileOptions): FileOptions {
  return Object.fromEntries(
    Object.entries(options).map(([key, one]) => [
      key,
      { ...one, default: undefined, required: false },
    ]),
  ) as unknown as FileOptions;
}
