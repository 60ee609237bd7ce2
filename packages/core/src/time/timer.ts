/** The longest time that Node's timers take, in milliseconds (24.8 days); a longer one ends at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;
