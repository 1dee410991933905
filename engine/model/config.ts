import type { Policy } from './policy.ts';

/** `.backtrail/config.yaml`, validated and with its defaults filled in (design: selections). */
export interface Config {
  readonly version: 1;
  readonly branch: string | null;
  readonly layout: {
    readonly environment: readonly string[];
    readonly service: readonly string[];
    readonly bindings: readonly string[];
    readonly variables: readonly string[];
    /** Names that the patterns find and that are none, such as `base` beside environments; `*` stands for any characters. */
    readonly ignore: NameLists;
    /** Where a list is not empty, its names are the only ones; `*` as in `ignore`. */
    readonly only: NameLists;
    /** Patterns of files that several environments use: they belong to no scope. */
    readonly shared: readonly string[];
  };
  /** Short names of fields, relative to the service. */
  readonly fields: Readonly<Record<string, string>>;
  readonly keep: readonly string[];
  /** `path#selector`, or `#selector` in any file: not masked, whatever it looks like. Never data of a Secret. */
  readonly show: readonly string[];
  readonly source: readonly SourceRule[];
  readonly delivery: { readonly output: string; readonly command?: DeliveryCommand } | null;
  readonly policy: Policy;
  readonly ledger: { readonly ref: string };
  /** First words of the subject line. */
  readonly subject: string;
  readonly commit: CommitConfig;
}

/** What commit messages say besides what they always say. */
export interface CommitConfig {
  /** Template of the subject line; null: the usual one, with `subject` as its first words. */
  readonly subject: string | null;
  /** `Signed-off-by:` of author and committer. */
  readonly signoff: boolean;
  /** Templates of more trailers, by key. */
  readonly trailers: Readonly<Record<string, string>>;
}

export interface NameLists {
  readonly tenant: readonly string[];
  readonly environment: readonly string[];
  readonly service: readonly string[];
}

/** A program that renders what no renderer of ours does. */
export interface DeliveryCommand {
  /** Its words; `{tenant}`, `{environment}`, `{service}` and `{directory}` stand for those of the service. Prints manifests. */
  readonly run: readonly string[];
  /** Prints its version. */
  readonly version?: readonly string[];
  /** Patterns of files that it needs besides the service's own folder. */
  readonly inputs: readonly string[];
}

export type RevisionSource = 'deploy' | 'release' | 'promotion' | 'rollback' | 'unknown';

export interface SourceRule {
  /** Regular expression on the subject. */
  readonly subject?: string;
  /** Regular expression on the author's name and email. */
  readonly author?: string;
  readonly is: Exclude<RevisionSource, 'rollback' | 'unknown'>;
}

export const CONFIG_PATH = '.backtrail/config.yaml';
