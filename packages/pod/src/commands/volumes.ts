import { ExitCode } from '@sidekit/core/tool';
import { keptClaims } from '../volumes/claims.ts';
import { diskUsage } from '../volumes/disk-usage.ts';
import { readArguments } from './arguments.ts';
import type { Session } from './session.ts';
import { columns } from './terminal.ts';

export const volumesHelp = `pod volumes
  Lists the claims of persistent storage that are kept, with their size and folder. They outlive
  their Pods; pod down --volumes removes them.
`;

/** Lists the kept claims. */
export async function volumes(argv: readonly string[], session: Session): Promise<ExitCode> {
  readArguments(argv, [], 0);
  const claims = keptClaims(session.store.data);
  if (claims.length === 0) {
    session.print('no claims are kept');
    return ExitCode.ok;
  }
  const rows = await Promise.all(
    claims.map(async ({ namespace, name, path }) => {
      const bytes = await diskUsage(path);
      const size = bytes === undefined ? 'unknown' : `${(bytes / 2 ** 20).toFixed(1)}Mi`;
      return [namespace, name, size, path];
    }),
  );
  session.print(columns([['NAMESPACE', 'CLAIM', 'SIZE', 'FOLDER'], ...rows]));
  return ExitCode.ok;
}
