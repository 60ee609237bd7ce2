/** The remedy for an unknown name: the known one that was probably meant, or all of them if few. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // Two of four letters may be wrong; a shorter name is hardly a misspelling of another.
  let least = name.length < 4 ? 2 : Math.max(2, Math.floor(name.length / 3)) + 1;
  if (name.length < 2) least = 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), least);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  if (best !== undefined) return `did you mean ${best}?`;
  return known.length > 0 && known.length <= 8 ? `known are ${known.join(', ')}` : undefined;
}

/**
 * The number of single-character insertions, deletions, substitutions and neighbour swaps
 * between two words (optimal string alignment); `limit` or more is reported as `limit`.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1);
      }
      current.push(least);
    }
    before = previous;
    previous = current;
  }
  return Math.min(previous[b.length]!, limit);
}
