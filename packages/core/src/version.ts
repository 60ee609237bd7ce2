import manifest from '../package.json' with { type: 'json' };

/** The version of sidekit: one for all packages and images. */
export const version: string = manifest.version;
