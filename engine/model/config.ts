import type { ChecksConfig } from './checks.ts';
import type { AutoRule, DriftConfig, LiveRule } from './live.ts';
import type { Policy } from './policy.ts';
import type { HostNaming, PublishRule } from './pull-request.ts';

/** `.backtrail/config.yaml`, validated and with defaults filled in (docs/configuration.md). */
export interface Config {
  readonly version: 1;
  readonly branch: string | null;
  /** Where the repository is at home: all of them name this one. Empty: requests and votes are for no place. */
  readonly repository: readonly string[];
  readonly layout: {
    readonly environment: readonly string[];
    readonly service: readonly string[];
    readonly bindings: readonly string[];
    readonly variables: readonly string[];
    /** Names that match a pattern but are not an environment (tenant, service), such as `base` beside environments; `*` matches any characters. */
    readonly ignore: NameLists;
    /** If a list is not empty, only its names are valid; `*` as in `ignore`. */
    readonly only: NameLists;
    /** Patterns of files that several environments use; such a file belongs to no scope. */
    readonly shared: readonly string[];
  };
  /** Short field names, relative to the service. */
  readonly fields: Readonly<Record<string, string>>;
  readonly keep: readonly string[];
  /** `path#selector`, or `#selector` for any file: never masked. Data of a Secret is masked regardless. */
  readonly show: readonly string[];
  readonly source: readonly SourceRule[];
  readonly delivery: { readonly output: string; readonly command?: DeliveryCommand } | null;
  readonly holds: HoldsConfig;
  readonly policy: Policy;
  readonly checks: ChecksConfig;
  /** How rollbacks reach the branch; the first entry that matches an environment applies, and without one they are pushed. */
  readonly publish: readonly PublishRule[];
  readonly host: HostNaming;
  /** Who can say whether a revision is live; all entries that match an environment. */
  readonly live: readonly LiveRule[];
  /** Which revisions are rolled back by themselves; the first entry that matches. */
  readonly auto: readonly AutoRule[];
  readonly drift: DriftConfig;
  readonly ledger: { readonly ref: string };
  readonly deployments: {
    readonly ref: string;
    /** Whether a completed rollback is recorded: `auto`, where the ref exists. */
    readonly record: 'auto' | 'always' | 'never';
  };
  /** First words of the subject line. */
  readonly subject: string;
  readonly commit: CommitConfig;
}

interface HoldsConfig {
  /** Emails or names of authors that are automation; `*` matches any characters. */
  readonly bots: readonly string[];
  /** Keys that a hold sets: `path#selector`, or `#selector` in any file of the scope. */
  readonly set: readonly { readonly field: string; readonly value: string | number | boolean }[];
  /** Addresses of this repository, as Git sources of a cluster name it. */
  readonly sources: readonly string[];
}

/** Additions to the commit message. */
interface CommitConfig {
  /** Template of the subject line; null: the default one, which starts with `subject`. */
  readonly subject: string | null;
  /** Adds `Signed-off-by:` for author and committer. */
  readonly signoff: boolean;
  /** Signs commits with the SSH key of whoever makes them. */
  readonly sign: boolean;
  /** Templates of additional trailers, by key. */
  readonly trailers: Readonly<Record<string, string>>;
}

export interface NameLists {
  readonly tenant: readonly string[];
  readonly environment: readonly string[];
  readonly service: readonly string[];
}

/** An external program that renders manifests where no built-in renderer does. */
export interface DeliveryCommand {
  /** Arguments; `{tenant}`, `{environment}`, `{service}` and `{directory}` are replaced by those of the service. It prints manifests. */
  readonly run: readonly string[];
  /** Command that prints the program's version. */
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
