/** The bounds of a head, decoded, as in HTTP/1.1. */
export interface HeadLimits {
  /** In bytes. */
  readonly maxHead: number;
  readonly maxFields: number;
}

/** Returns the size that a head has in HTTP/1.1, in bytes. @param raw names and values in turn. */
export function headSize(raw: readonly string[]): number {
  let size = 2 * raw.length;
  for (const text of raw) size += text.length;
  return size;
}

/**
 * Returns what SETTINGS_MAX_HEADER_LIST_SIZE must be so that these bounds decide: it counts 32 bytes
 * more for each field (RFC 9113 §6.5.2), and a cookie may be many.
 */
export function headerListSize({ maxHead, maxFields }: HeadLimits): number {
  return maxHead + 2 * maxFields * 32;
}
