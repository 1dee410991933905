import type { EnvironmentName } from './policy.ts';
import type { Entry, ObjectId } from './git.ts';
import type { Scope } from './scope.ts';
import type { Finding } from './finding.ts';

/**
 * Versions of the planning rules. The one that made a rollback goes into its commit as Rollback-Engine; those before stay callable, so that
 * a commit can be made again by the rules of its time. 2: `kind:` in `keep` means YAML and JSON documents only, and items of a List; a link in the place of a scope's folder belongs to the scope.
 * 3: `.env` and `.properties` files and the documents that strings hold have parts, which layouts select and `keep` holds.
 */
export type Rules = 1 | 2 | 3;
export const ENGINE: Rules = 3;

/** A path of the commit to be made. `content` stands where the object is not in the repository yet. */
export interface Write {
  readonly path: string;
  readonly after: (Entry & { readonly content?: Uint8Array }) | null;
}

/** One file that the plan changes, and what it must hold afterwards. */
export interface FileChange extends Write {
  readonly before: Entry | null;
}

/** A difference of one field, for people: values of secrets are masked before they come here. */
export interface FieldChange {
  readonly selector: string;
  readonly op: 'add' | 'remove' | 'replace';
  /** Source text of the value on either side; absent where there is none. */
  readonly before?: string;
  readonly after?: string;
  /** Hunks of the value's lines, uncut: where it has several, or its cut text leaves out something that differs. */
  readonly diff?: string;
}

/** How one file differs: by field where it is YAML or JSON, else as a unified diff. Masked. */
export interface FileDifference {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'modified';
  readonly fields?: readonly FieldChange[];
  readonly diff?: string;
}

export interface ServiceDifference {
  /** null: what belongs to the environment and to no service. */
  readonly service: string | null;
  readonly files: readonly FileDifference[];
}

export interface Kept {
  readonly path: string;
  readonly selector?: string;
  /** The pattern of `keep` that holds it. */
  readonly by: string;
}

export interface Impact {
  readonly services: readonly string[];
  readonly bindings: readonly string[];
  readonly variables: readonly string[];
  readonly files: number;
  readonly fields: number;
}

export interface RevisionRef {
  readonly commit: ObjectId;
  /** vN of the scope; null where the commit is older than the scope's first revision. */
  readonly version: number | null;
}

/** What a rollback would do: a plain value, made by a pure function. */
export interface Plan {
  readonly engine: Rules;
  readonly scope: Scope;
  readonly branch: string;
  readonly base: ObjectId;
  readonly target: RevisionRef;
  readonly current: RevisionRef;
  readonly digest: string;
  /** Files of the scope that change, in path order: what verification compares. */
  readonly files: readonly FileChange[];
  /** The same change for the writer: whole folders by one object id where nothing in them is kept. Deletions first. */
  readonly writes: readonly Write[];
  readonly changes: readonly ServiceDifference[];
  readonly kept: readonly Kept[];
  /** Paths that are restored as a whole in place of the parts that the scope selects in them. */
  readonly wholeFiles: readonly string[];
  readonly impact: Impact;
  /** Environments that own what changes, that of the scope first: the rules of each apply. */
  readonly owners: readonly EnvironmentName[];
  readonly findings: readonly Finding[];
}
