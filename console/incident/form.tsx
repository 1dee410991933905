/** What an incident asks for: which scopes, back to what, and why. Nothing is asked for that was not looked at. */
import { useLocation } from 'preact-iso';
import { useEffect, useRef } from 'preact/hooks';
import type { Environments } from '../contract.ts';
import { scopeName } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { Findings } from '../parts/findings.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Loading, Problem, Resource } from '../parts/states.tsx';
import { type Asking, bodyOf, useIncident } from './asking.ts';
import { Followed } from './followed.tsx';
import { Preview } from './preview.tsx';
import { isTakeable } from './row-words.ts';
import { ScopeChoice } from './scope-choice.tsx';
import { NotDone, Unanswered } from './unanswered.tsx';
import { type Addressed, followPath, type Wish, wishPath } from './wish.ts';

export function IncidentForm({ wish }: { readonly wish: Addressed }) {
  const { route } = useLocation();
  const asking = useIncident(wish, (id) => route(followPath(id)));
  const { draft, shown, refused, sending, problem } = asking;
  const choose = (change: Partial<Wish>) => {
    const next = { scopes: wish.scopes, to: wish.to, atomic: wish.atomic, ...change };
    asking.change({ ...next, left: [] });
    route(wishPath(next, draft.id), true);
  };
  if (refused !== null && !refused.isNothing) return <NotDone of={refused.rows} id={draft.id} />;
  if (sending === 'submit') return <Followed id={draft.sent?.body.id ?? draft.id} isAsking />;
  if (draft.sent !== null) return <Unanswered of={asking} sent={draft.sent} />;
  const taken = (shown?.rollbacks ?? []).filter((row) => isTakeable(row) && !draft.left.includes(row.scope));
  const why = whyNot(asking, wish, taken.length);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (why === null) void (shown === null ? asking.preview() : asking.submit(taken));
      }}
    >
      {wish.isLost && <Lost />}
      {refused !== null && <NotDone of={refused.rows} id={null} />}
      <Fields
        {...wish}
        reason={draft.reason}
        onChoose={choose}
        onReason={(reason) => asking.change({ reason })}
      />
      {problem !== null && <Problem problem={problem} />}
      {sending === 'preview' && <Loading lines={5} />}
      {shown !== null && sending === null && (
        <section class="part stack" aria-label="What would be done">
          <Found />
          <Findings of={shown.findings ?? []} />
          <Preview
            of={shown.rollbacks}
            left={draft.left}
            to={wish.to}
            onLeave={(left) => asking.change({ left })}
          />
        </section>
      )}
      <div class="actions way-on">
        <button type="submit" class="primary" disabled={why !== null}>
          {shown === null
            ? 'Preview'
            : `Submit ${taken.length} ${taken.length === 1 ? 'rollback' : 'rollbacks'}`}
        </button>
        {shown !== null && (
          <button type="button" disabled={sending !== null} onClick={() => void asking.preview()}>
            Look again
          </button>
        )}
        {why !== null && <span class="hint">{why}</span>}
      </div>
      <Command line={commandLine('incident', 'FILE', shown === null && '--dry-run')} />
      <File of={bodyOf({ ...draft, ...wish }, shown === null ? null : taken)} />
    </form>
  );
}

/** Below a long list of scopes nobody would see that it came. */
function Found() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView();
  }, []);
  return (
    <h2 ref={heading} tabIndex={-1}>
      What would be done
    </h2>
  );
}

function Lost() {
  return (
    <p class="verdict warn" role="status">
      <b>What was chosen is not here:</b> it was too long for an address, and was kept in the tab where it was
      chosen. A pattern such as <code>*/production/api</code> fits into an address.
    </p>
  );
}

interface FieldsProps extends Wish {
  readonly reason: string;
  readonly onChoose: (next: Partial<Wish>) => void;
  readonly onReason: (reason: string) => void;
}

function Fields({ scopes, to, atomic, reason, onChoose, onReason }: FieldsProps) {
  const found = useResource<Environments>('/environments');
  return (
    <>
      <Resource of={found} lines={6}>
        {({ environments }) => (
          <ScopeChoice
            all={environments.flatMap((each) => [
              scopeName(each),
              ...each.services.map((service) => scopeName({ ...each, service })),
            ])}
            chosen={scopes}
            onChoose={(next) => onChoose({ scopes: next })}
          />
        )}
      </Resource>
      <label class="field">
        <span>Back to (previous, last-successful, @2h, a commit)</span>
        <input
          value={to}
          autocomplete="off"
          spellcheck={false}
          onChange={({ currentTarget: { value } }) => onChoose({ to: value.trim() || 'previous' })}
        />
      </label>
      <label class="tick">
        <input
          type="checkbox"
          checked={atomic}
          onChange={({ currentTarget: { checked } }) => onChoose({ atomic: checked })}
        />
        <span>
          All in one push, or none (atomic)
          <span class="hint block">
            Nothing is published before each of them is approved, and nothing at all where one is refused or
            its plan changes. Without it each goes ahead by itself.
          </span>
        </span>
      </label>
      <label class="field">
        <span>Reason</span>
        <textarea
          rows={2}
          maxLength={1000}
          value={reason}
          onInput={({ currentTarget }) => onReason(currentTarget.value)}
        />
      </label>
    </>
  );
}

function File({ of }: { readonly of: object }) {
  return (
    <details class="more">
      <summary>What FILE holds</summary>
      <pre tabIndex={0}>
        <code>{JSON.stringify(of, null, 2)}</code>
      </pre>
    </details>
  );
}

function whyNot({ draft, sending, shown }: Asking, { scopes }: Wish, taken: number): string | null {
  if (sending !== null) return 'A moment…';
  if (scopes.length === 0) return 'Choose what is to go back.';
  if (shown === null) return null;
  if (taken === 0) return 'Nothing of it can be asked for.';
  return draft.reason.trim() === '' ? 'Say why.' : null;
}
