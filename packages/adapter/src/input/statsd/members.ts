/** How long a member counts after it was last sent, in milliseconds. */
const WINDOW = 60_000;

/** The room for members that all sets share. */
export interface MemberRoom {
  left: number;
}

/** The distinct members of a set, each for one minute after it was last sent. */
export class Members {
  /** The time of each member, the oldest first. */
  readonly #seen = new Map<string, number>();
  readonly #room: MemberRoom;

  constructor(room: MemberRoom) {
    this.#room = room;
  }

  /** Adds a member or renews its time; false if there is no room. */
  add(member: string, at: number): boolean {
    if (this.#seen.delete(member)) this.#room.left++;
    else if (this.#room.left === 0) this.count(at);
    if (this.#room.left === 0) return false;
    this.#seen.set(member, at);
    this.#room.left--;
    return true;
  }

  /** Forgets old members and returns the number of the others. */
  count(at: number): number {
    for (const [member, seen] of this.#seen) {
      if (at - seen < WINDOW) break;
      this.#seen.delete(member);
      this.#room.left++;
    }
    return this.#seen.size;
  }

  clear(): void {
    this.#room.left += this.#seen.size;
    this.#seen.clear();
  }
}
