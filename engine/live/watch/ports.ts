/** What a watch asks others for: Git, clusters, and the gate. */
import type { AutomaticNote, Coordinates, Desired } from '../../model/index.ts';
import type { AutoFacts, Refusal } from './auto.ts';
import type { ScopeSeen, StateChange, Watched } from './types.ts';

export interface Survey {
  readonly watched: readonly Watched[];
  /** Some environment has `live:`: there may be something to be observed later. */
  readonly isWanted: boolean;
  /** Scopes that are not watched, as there are too many. */
  readonly left: number;
}

export interface StatusWish extends Coordinates, Desired {
  readonly status: 'deployed' | 'failed';
  readonly note: string | null;
  readonly automatic?: AutomaticNote;
}

export interface Preflight {
  /** Of the request: it follows from scope and revision. */
  readonly id: string;
  /** Why it would not be opened; null: it would. */
  readonly refusal: Refusal | null;
  /** It will wait for people. */
  readonly needsApproval: boolean;
}

export interface Unnudged {
  readonly scope: string;
  readonly message: string;
}

export interface WatchPorts {
  /** What is to be observed, as Git says it now. */
  survey(): Promise<Survey>;
  /** By scope; a cluster that cannot be asked gives `unconfirmed`. One question a kind and cluster. */
  observe(
    watched: readonly Watched[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, ScopeSeen>>;
  /** In one commit. Gives those that the records have now, and why not the others. */
  record(
    wishes: readonly StatusWish[],
  ): Promise<readonly { readonly of: StatusWish; readonly refusal: Refusal | null }[]>;
  readonly auto: AutoPorts;
  /** Asks what reconciles them to do so now. Gives what it could not ask, and why. */
  nudge(watched: readonly Watched[]): Promise<readonly Unnudged[]>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never go back. */
  monotonic(): number;
  /** [0, 1) */
  random(): number;
}

export interface AutoPorts {
  facts(watched: Watched): Promise<AutoFacts>;
  /** Plans it and asks the gate; opens nothing. */
  preflight(watched: Watched): Promise<Preflight>;
  /** Opens the request, which may be there already. */
  request(watched: Watched): Promise<{ readonly id: string; readonly status: string }>;
}

/** What whoever runs this should know; `code` is of a failure, or of a refusal. */
export interface Notice {
  readonly scope: string | null;
  readonly code: string;
  readonly message: string;
}

export interface LookResult {
  readonly changes: readonly StateChange[];
  /** What was asked for by itself: ids. */
  readonly requests: readonly { readonly scope: string; readonly id: string; readonly status: string }[];
  readonly notices: readonly Notice[];
  /** How many scopes are in which state now, and how many were asked about in this look. */
  readonly states: Readonly<Record<string, number>>;
  readonly observed: number;
  /** Milliseconds until the next look; null: only after a publication. */
  readonly nextMs: number | null;
}
