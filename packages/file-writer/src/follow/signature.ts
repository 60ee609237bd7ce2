import { createHmac, timingSafeEqual } from 'node:crypto';
import { type PostRequest, readSmallFile } from '@sidekit/core';

/** The largest secret, in bytes. */
const SECRET_LIMIT = 64 * 1024;

/** The headers with the HMAC-SHA256 of a body: of GitHub, Bitbucket, Gitea, Forgejo and Gogs. */
const HEADERS = [
  'x-hub-signature-256',
  'x-hub-signature',
  'x-gitea-signature',
  'x-forgejo-signature',
  'x-gogs-signature',
];

/**
 * Checks a webhook with the secret in a file, which is read at each request: the signature of its
 * body, or GitLab's header with the secret itself.
 */
export function hasValidSignature(secretFile: string, { headers, body }: PostRequest): boolean {
  const secret = readSecret(secretFile);
  if (secret === '') return false;
  const hmac = (text: string | Buffer) => createHmac('sha256', secret).update(text).digest();
  const token = headers['x-gitlab-token'];
  // Equal in length, whatever that of the token, and so compared in constant time.
  if (token !== undefined && timingSafeEqual(hmac(String(token)), hmac(secret))) return true;
  const expected = hmac(body);
  return HEADERS.some((name) => {
    const [, hex = ''] = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(String(headers[name] ?? '')) ?? [];
    const given = Buffer.from(hex, 'hex');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** @returns an empty text if there is no secret; that never matches. */
function readSecret(path: string): string {
  try {
    return readSmallFile(path, SECRET_LIMIT).toString().trim();
  } catch {
    return '';
  }
}
