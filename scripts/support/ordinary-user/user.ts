/** The user's ID, and its own group's: not among the machine's usual ones, nor in the range below. */
export const USER = 61_234;
export const NAME = 'sidekit-user';
/** The IDs that the user's containers may have (subuid(5)). */
export const RANGE = '100000:65536';

/** The folders of the user, who owns them. */
export const FOLDERS = ['home', 'run', 'dist', 'clone'] as const;
