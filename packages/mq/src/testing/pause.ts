/** Lets a time pass, in milliseconds, so that a fault happens at an arbitrary instant. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
