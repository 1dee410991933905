/** What an incident asks for: which scopes, back to what, and why. What is chosen is in the address. */
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { Environments, Incident } from '../contract.ts';
import { scopeName } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { Findings } from '../parts/findings.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Loading, Problem, Resource } from '../parts/states.tsx';
import { type Asking, useIncident, type Wish } from './asking.ts';
import { Rollbacks } from './rollbacks.tsx';
import { ScopeChoice } from './scope-choice.tsx';
import { IncidentTable } from './table.tsx';

type Chosen = Pick<Wish, 'scopes' | 'to'>;

export function IncidentForm({ scopes, to }: Chosen) {
  const { route } = useLocation();
  const [reason, setReason] = useState('');
  const wish = { scopes, to, reason };
  const asking = useIncident(wish, (id) => route(`/incident?id=${encodeURIComponent(id)}`));
  const { shown, refused, sending, body } = asking;
  const why = whyNot(wish, sending !== null);
  if (refused !== null) return <Refused of={refused} />;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (why === null) void (shown === null ? asking.preview() : asking.submit());
      }}
    >
      <Fields
        {...wish}
        onChoose={(next) => route(pathOf({ scopes, to, ...next }), true)}
        onReason={setReason}
      />
      <Outcome of={asking} />
      <div class="actions way-on">
        <button type="submit" class="primary" disabled={why !== null}>
          {shown === null
            ? 'Preview'
            : `Submit ${scopes.length} ${scopes.length === 1 ? 'rollback' : 'rollbacks'}`}
        </button>
        {why !== null && <span class="hint">{why}</span>}
      </div>
      <Command line={commandLine('incident', 'FILE')} />
      <details class="more">
        <summary>What FILE holds</summary>
        <pre tabIndex={0}>
          <code>{JSON.stringify(body, null, 2)}</code>
        </pre>
      </details>
    </form>
  );
}

interface FieldsProps extends Wish {
  readonly onChoose: (next: Partial<Chosen>) => void;
  readonly onReason: (reason: string) => void;
}

function Fields({ scopes, to, reason, onChoose, onReason }: FieldsProps) {
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

/** What would be done, and what is being done. */
function Outcome({ of: { problem, sending, shown, body } }: { readonly of: Asking }) {
  return (
    <>
      {problem !== null && <Problem problem={problem} />}
      {sending === 'preview' && <Loading lines={3} />}
      {sending === 'submit' && <IncidentTable id={body.id} />}
      {shown !== null && sending === null && (
        <section class="part" aria-label="What would be done">
          <h2>What would be done</h2>
          <Findings of={shown.findings ?? []} />
          <Rollbacks of={shown.rollbacks} />
        </section>
      )}
    </>
  );
}

/** Some of it was asked for, and some was not. */
function Refused({ of: { id, rollbacks } }: { readonly of: Incident }) {
  return (
    <section class="stack" aria-label="What was not done">
      <p class="verdict failure" role="alert">
        <b>Not all of it was done.</b> What was asked for goes on by itself.
      </p>
      <Rollbacks of={rollbacks} />
      <p>
        <a href={`/incident?id=${encodeURIComponent(id)}`}>Follow incident {id}</a>
      </p>
    </section>
  );
}

function whyNot({ scopes, reason }: Wish, isSending: boolean): string | null {
  if (isSending) return 'A moment…';
  if (scopes.length === 0) return 'Choose what is to go back.';
  return reason.trim() === '' ? 'Say why.' : null;
}

const pathOf = ({ scopes, to }: Chosen): string => {
  const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]));
  if (to !== 'previous') query.set('to', to);
  return `/incident?${query.toString()}`;
};
