import type { RequestHead } from '../http/request-head.ts';

/** The longest list of fields that a preflight request may ask for, in characters. */
const MAX_REQUESTED = 1024;

/**
 * Returns the fields that let a page of a listed origin read a response, names and values in turn;
 * none for any other origin. Credentials are never allowed, and an origin is never `*`.
 */
export function corsFields({ fields }: RequestHead, origins: ReadonlySet<string>): string[] {
  if (origins.size === 0) return [];
  const origin = fieldValue(fields, 'origin');
  if (origin === undefined || !origins.has(origin)) return ['Vary', 'Origin'];
  return [
    ...['Access-Control-Allow-Origin', origin, 'Vary', 'Origin'],
    ...['Access-Control-Expose-Headers', 'grpc-status, grpc-message, grpc-status-details-bin'],
  ];
}

/**
 * Returns the fields of the reply to a preflight request (Fetch §3.2.2) for a call from a listed
 * origin; undefined if the request is not one.
 */
export function preflightFields(
  head: RequestHead,
  origins: ReadonlySet<string>,
): string[] | undefined {
  if (head.method !== 'OPTIONS' || origins.size === 0) return undefined;
  const origin = fieldValue(head.fields, 'origin');
  if (origin === undefined || !origins.has(origin)) return undefined;
  if (fieldValue(head.fields, 'access-control-request-method') !== 'POST') return undefined;
  const requested = fieldValue(head.fields, 'access-control-request-headers') ?? '';
  const names = requested.length <= MAX_REQUESTED && /^[\w!#$%&'*+.^`|~, -]*$/.test(requested);
  return [
    ...['Access-Control-Allow-Origin', origin, 'Vary', 'Origin'],
    ...['Access-Control-Allow-Methods', 'POST'],
    ...(names && requested !== '' ? ['Access-Control-Allow-Headers', requested] : []),
    ...['Access-Control-Max-Age', '600'],
  ];
}

/** Returns the value of a field that occurs once. */
function fieldValue({ names, values }: RequestHead['fields'], name: string): string | undefined {
  const found = names.flatMap((one, i) => (one.toLowerCase() === name ? values[i]! : []));
  return found.length === 1 ? found[0] : undefined;
}
