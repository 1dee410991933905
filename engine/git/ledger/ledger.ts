import type { ObjectId, Person, Signature, Write } from '../../model/index.ts';

/** The chain of commits on one ref of ours, where the repository lives: an event a commit, appended by compare-and-swap. */
export interface LedgerStore {
  /**
   * Asks for the ref anew (fetches it, for a mirror or a clone); null where there is none yet. LEDGER_REWOUND where it does not
   * descend from what this machine saw last.
   */
  tip(ref: string): Promise<ObjectId | null>;
  /**
   * Writes events as commits on `parent` (null: the first ones) and moves the ref from `parent` to the last of them, or changes
   * nothing. BRANCH_MOVED where it is elsewhere by now; SIGNING_FAILED; what `publish` of a repository fails with.
   */
  append(input: {
    readonly ref: string;
    readonly parent: ObjectId | null;
    readonly events: readonly NewEvent[];
    readonly committer: Person;
  }): Promise<readonly ObjectId[]>;
  /**
   * Those of one cache folder read, decide and append one after the other: side by side, all but one would do it in vain. A
   * courtesy, not a guarantee: whoever has waited long goes ahead, and `append` compares.
   */
  inTurn<Value>(ref: string, use: () => Promise<Value>): Promise<Value>;
  /** Does the user have a key, by git's own settings, that `append` signs with? Settings of the repository's own that run programs do not count. */
  signs(): Promise<boolean>;
  /**
   * Who signed each commit, by the keys of this list alone (a path; null: nobody is trusted). `times`: when each was made, milliseconds since
   * 1970, which decides whether a key with an end or a beginning was valid; the commit's own date where absent.
   */
  signatures(
    ids: readonly ObjectId[],
    allowedSigners: string | null,
    times?: ReadonlyMap<ObjectId, number>,
  ): Promise<ReadonlyMap<ObjectId, Signature>>;
}

export interface NewEvent {
  readonly author: Person;
  /** ISO 8601. */
  readonly time: string;
  readonly message: string;
  readonly writes: readonly Write[];
  /** With the user's own key, where there is one. */
  readonly sign: boolean;
}
