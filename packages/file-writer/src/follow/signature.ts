import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { PostRequest } from '@sidekit/core';

/** The headers in which git hosts send the HMAC-SHA256 of a body: GitHub, Gitea, Forgejo, Gogs. */
const HEADERS = [
  'x-hub-signature-256',
  'x-gitea-signature',
  'x-forgejo-signature',
  'x-gogs-signature',
];

/** Checks the signature of a webhook with the secret in a file, which is read at each request. */
export function hasValidSignature(secretFile: string, { headers, body }: PostRequest): boolean {
  const secret = readSecret(secretFile);
  if (secret === '') return false;
  const expected = createHmac('sha256', secret).update(body).digest();
  return HEADERS.some((name) => {
    const [, hex = ''] = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(String(headers[name] ?? '')) ?? [];
    const given = Buffer.from(hex, 'hex');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** @returns an empty text if there is no secret; that never matches. */
function readSecret(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8').trim() : '';
  } catch {
    return '';
  }
}
