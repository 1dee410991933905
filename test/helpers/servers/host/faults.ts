/** What goes wrong on the way: each fault is used up by as many calls as it says, the oldest first. */

export type Fields = Readonly<Record<string, unknown>>;

/** A call of the API, or of git where `isGit`; `path` has no base (`/repos/acme/config/pulls`). */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The fields of its JSON; none where there is no object. */
  readonly body: Fields;
  readonly isGit: boolean;
  /** 0: never answered. */
  status: number;
}

/** A part of `METHOD /path`, or a pattern for it, or a function. Absent: every call of the API, none of git. */
export type Match = string | RegExp | ((call: Call) => boolean);

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; a string is sent as it is; undefined sends nothing. */
  readonly body?: unknown;
}

export type Effect =
  | { readonly kind: 'answer'; readonly answer: Answer | ((call: Call) => Answer) }
  | { readonly kind: 'wait'; readonly until: (call: Call) => Promise<void> }
  | { readonly kind: 'cut' | 'lose' | 'drop' };

export interface FaultScope {
  readonly match?: Match | undefined;
  /** 1 where absent. */
  readonly times?: number | undefined;
}

export function createFaults() {
  const planned: { effect: Effect; match: Match | undefined; left: number }[] = [];
  return {
    add(effect: Effect, { match, times = 1 }: FaultScope = {}): void {
      planned.push({ effect, match, left: times });
    },
    clear: () => void planned.splice(0),
    /** What applies to this call: waits, and the first of anything else. */
    take(call: Call): Effect[] {
      const taken: Effect[] = [];
      for (const fault of planned) {
        const isDone = taken.some(({ kind }) => kind !== 'wait') && fault.effect.kind !== 'wait';
        if (isDone || fault.left <= 0 || !matches(call, fault.match)) continue;
        fault.left -= 1;
        taken.push(fault.effect);
      }
      return taken;
    },
  };
}

function matches(call: Call, match: Match | undefined): boolean {
  if (match === undefined) return !call.isGit;
  if (typeof match === 'function') return match(call);
  const text = `${call.method} ${call.path}`;
  return typeof match === 'string' ? text.includes(match) : match.test(text);
}
