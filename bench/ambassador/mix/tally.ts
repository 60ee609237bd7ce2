/** Counts the results of one kind of requests. */
export class Tally {
  succeeded = 0;
  /** Complete responses that are refusals, by status. */
  readonly refused: Record<string, number> = {};
  broken = 0;
  /** The first reasons of broken requests. */
  readonly reasons: string[] = [];

  /** Counts a complete response. */
  count(status: number | string, success: boolean): void {
    if (success) this.succeeded++;
    else this.refused[status] = (this.refused[status] ?? 0) + 1;
  }

  break(reason: string): void {
    this.broken++;
    if (this.reasons.length < 5) this.reasons.push(reason);
  }
}
