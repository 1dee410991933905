/** What a page shows where it has nothing to show, or not yet, or not for this person. */
import type { ComponentChildren } from 'preact';
import type { Loaded } from '../data/resource.ts';
import { refresh } from '../data/resource.ts';
import type { Problem as ProblemValue, ProblemKind } from '../data/problem.ts';
import { Prose } from './prose.tsx';
import { Time } from './time.tsx';

const TITLES: Readonly<Record<ProblemKind, string>> = {
  offline: 'You are offline',
  away: 'The server is away',
  'signed-out': 'You are signed out',
  denied: 'You may not see this',
  missing: 'There is no such thing here',
  refused: 'The server refused this',
  broken: 'Something failed',
};
const SIGNS: Readonly<Record<ProblemKind, string>> = {
  offline: '×',
  away: '×',
  'signed-out': '→',
  denied: '⊘',
  missing: '?',
  refused: '!',
  broken: '!',
};

export function Problem({
  problem: { kind, message, hint, code },
  onRetry,
}: {
  readonly problem: ProblemValue;
  readonly onRetry?: (() => void) | undefined;
}) {
  return (
    <section class={`problem ${kind}`} role="alert">
      <h2>
        <span aria-hidden="true">{SIGNS[kind]}</span> {TITLES[kind]}
      </h2>
      <p>
        <Prose text={message} />
      </p>
      {hint !== '' && (
        <p class="hint">
          <Prose text={hint} />
        </p>
      )}
      {code !== '' && <p class="code">{code}</p>}
      {onRetry !== undefined && kind !== 'missing' && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </section>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Lines where text will be, so that nothing jumps. */
export function Loading({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="loading" role="status">
      <span class="hidden">Loading</span>
      {Array.from({ length: lines }, () => (
        <span class="bar" aria-hidden="true" />
      ))}
    </div>
  );
}

/** The value once it is there; what was known stays where it cannot be asked for again, and says how old it is. */
export function Resource<Value>({
  of: { value, problem, at },
  lines,
  children,
}: {
  readonly of: Loaded<Value>;
  readonly lines?: number;
  readonly children: (value: Value) => ComponentChildren;
}) {
  if (value === null)
    return problem === null ? (
      <Loading lines={lines ?? 3} />
    ) : (
      <Problem problem={problem} onRetry={() => refresh()} />
    );
  return (
    <>
      {problem !== null && at !== null && (
        <p class="stale" role="status">
          <strong>Not up to date.</strong> {problem.message} Shown as it was{' '}
          <Time at={new Date(at).toISOString()} />.
        </p>
      )}
      {children(value)}
    </>
  );
}
