/** Runs an action of a slow peer later, in milliseconds. */
export function later(milliseconds: number, action: () => void): void {
  setTimeout(action, milliseconds);
}

/** Resolves after a pause that a peer makes, in milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => later(milliseconds, resolve));
}
