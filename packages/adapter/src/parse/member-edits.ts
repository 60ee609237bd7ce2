/** Changes to the members of records in JSON bytes. */
export interface MemberEdits {
  /** Old names to new ones, which no record has yet. */
  readonly rename: Readonly<Record<string, string>>;
  readonly drop: readonly string[];
  /** At any depth. */
  readonly redactFields: readonly string[];
}

export const NO_EDITS: MemberEdits = { rename: {}, drop: [], redactFields: [] };

/** The text that takes the place of a redacted value. */
export const REDACTED = '[redacted]';
