import { address, parseAddress } from './address.ts';
import { choice, path } from './scalars.ts';
import { option } from './table.ts';
import { duration } from './units.ts';

/** The option of sidecars whose admin port has POST endpoints. */
export const adminTokenOption = {
  adminTokenFile: option(path, {
    description:
      'A file with the bearer token that POST requests to the admin port need from elsewhere than loopback; read at each request.',
  }),
};

/** The options that every sidecar has; `admin` is its default admin address, such as `:9901`. */
export function commonOptions(admin: string) {
  const usual = parseAddress(admin);
  if (!usual) throw new Error(`${admin} is not an address`);
  return {
    admin: option(address, {
      description: 'Where `/startupz`, `/readyz`, `/livez` and `/metrics` are served.',
      default: usual,
    }),
    healthFile: option(path, {
      description: 'Also write the health as JSON to this file, atomically, at each change.',
    }),
    logLevel: option(choice('debug', 'info', 'warn', 'error'), {
      description: 'The least severe log records to print.',
      default: 'info',
    }),
    gracePeriod: option(duration(0, 3_600_000), {
      description:
        'How long a stop may take after SIGTERM; keep it below `terminationGracePeriodSeconds`.',
      default: 25_000,
    }),
  };
}
