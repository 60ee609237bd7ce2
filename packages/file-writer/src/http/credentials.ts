import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '@sidekit/core';
import { Failure } from '../failure.ts';
import { readRegularFile } from '../io/regular-file.ts';

/** The largest file with a secret or certificates, in bytes: the limit of a Secret. */
const LIMIT = 1024 * 1024;

/** Reads a file of an option, such as a token. @throws {Failure} with the option and a remedy. */
export async function readOptionFile(
  option: string,
  path: string,
  remedy: string,
): Promise<string> {
  try {
    return (await readRegularFile(path, LIMIT)).toString('utf8');
  } catch (error) {
    if (error instanceof Failure && error.reason === 'too_large') throw error;
    throw new Failure(
      'credentials',
      `${option} ${path} cannot be read (${errorText(error)}): ${remedy}`,
    );
  }
}

/**
 * Returns the header for basic authentication (RFC 7617) from a file with `user:password`, or from
 * a directory with `username` and `password`; undefined without a path. Either part may be empty or
 * contain spaces: some servers take a token without a user.
 */
export async function basicAuthorization(
  path: string | undefined,
): Promise<{ readonly authorization: string } | undefined> {
  if (path === undefined) return undefined;
  const pair = await readPair(path);
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

async function readPair(path: string): Promise<string> {
  const remedy = 'mount a Secret with username and password there';
  const read = async (file: string) =>
    withoutLineFeed(await readOptionFile('--credentials', file, remedy));
  const directory = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const pair = directory
    ? `${await read(join(path, 'username'))}:${await read(join(path, 'password'))}`
    : await read(path);
  // RFC 7617 §2: no control characters.
  if (/^[^:]*:.+$/.test(pair) && !/\p{Cc}/u.test(pair)) return pair;
  throw new Failure('credentials', `--credentials ${path} must hold user:password in one line`);
}

/** Editors end a file with a line feed, which is not part of a password; spaces may be. */
function withoutLineFeed(text: string): string {
  return text.replace(/\r?\n$/, '');
}
