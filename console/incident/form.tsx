/** What an incident asks for: which scopes, back to what, and why. What is chosen is in the address. */
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { Environments, Incident, IncidentAsk } from '../contract.ts';
import { type Answer, call } from '../data/call.ts';
import { scopeName } from '../data/paths.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh, useResource } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { Findings } from '../parts/findings.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Loading, Problem, Resource } from '../parts/states.tsx';
import { Rollbacks } from './rollbacks.tsx';
import { ScopeChoice } from './scope-choice.tsx';
import { IncidentTable } from './table.tsx';

interface FormProps {
  readonly scopes: readonly string[];
  readonly to: string;
}

export function IncidentForm({ scopes, to }: FormProps) {
  const found = useResource<Environments>('/environments');
  const { route } = useLocation();
  const [reason, setReason] = useState('');
  const [id] = useState(newId);
  const [shown, setShown] = useState<{ readonly of: string; readonly value: Incident } | null>(null);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const [sending, setSending] = useState<'preview' | 'submit' | null>(null);
  const [done, setDone] = useState<Incident | null>(null);
  const body: IncidentAsk = {
    id,
    reason,
    onFailure: 'continue',
    rollbacks: scopes.map((scope) => ({ scope, to })),
  };
  const wanted = JSON.stringify({ scopes, to });
  const isShown = shown?.of === wanted;
  const choose = (next: Partial<FormProps>) => route(pathOf({ scopes, to, ...next }), true);
  const preview = async () => {
    setSending('preview');
    setProblem(null);
    const answer = await call<Incident>('/incidents?dryRun=true', { method: 'POST', body });
    setSending(null);
    if (!answer.ok) setProblem(answer.problem);
    else if (answer.value !== null) setShown({ of: wanted, value: answer.value });
  };
  const submit = async () => {
    setSending('submit');
    setProblem(null);
    const answer = await askForAll(body);
    setSending(null);
    refresh();
    if (!answer.ok) setProblem(answer.problem);
    else if (answer.value !== null && answer.value.rollbacks.some(({ error }) => error !== undefined))
      // What was refused is in no ledger: it is told here.
      setDone(answer.value);
    else route(`/incident?id=${encodeURIComponent(id)}`);
  };
  const why = whyNot({ scopes, reason, isSending: sending !== null });
  if (done !== null) return <Refused of={done} />;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (why === null) void (isShown ? submit() : preview());
      }}
    >
      <Resource of={found} lines={6}>
        {({ environments }) => (
          <ScopeChoice
            all={environments.flatMap((each) => [
              scopeName(each),
              ...each.services.map((service) => scopeName({ ...each, service })),
            ])}
            chosen={scopes}
            onChoose={(next) => choose({ scopes: next })}
          />
        )}
      </Resource>
      <label class="field">
        <span>Back to (previous, last-successful, @2h, a commit)</span>
        <input
          value={to}
          autocomplete="off"
          spellcheck={false}
          onChange={({ currentTarget: { value } }) => choose({ to: value.trim() || 'previous' })}
        />
      </label>
      <label class="field">
        <span>Reason</span>
        <textarea
          rows={2}
          maxLength={1000}
          value={reason}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
        />
      </label>
      {problem !== null && <Problem problem={problem} />}
      {sending === 'preview' && <Loading lines={3} />}
      {sending === 'submit' && <IncidentTable id={id} />}
      {isShown && sending === null && (
        <section class="part" aria-label="What would be done">
          <h2>What would be done</h2>
          <Findings of={shown.value.findings ?? []} />
          <Rollbacks of={shown.value.rollbacks} />
        </section>
      )}
      <div class="actions way-on">
        <button type="submit" class="primary" disabled={why !== null}>
          {isShown ? `Submit ${scopes.length} ${scopes.length === 1 ? 'rollback' : 'rollbacks'}` : 'Preview'}
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

/** Calls: each goes on with what is left of the same incident. */
const MOST_CALLS = 40;

async function askForAll(body: IncidentAsk): Promise<Answer<Incident>> {
  const ask = () => call<Incident>('/incidents', { method: 'POST', body });
  let answer = await ask();
  for (let calls = 1; calls < MOST_CALLS && answer.ok && answer.value !== null; calls++) {
    const { rollbacks } = answer.value;
    if (!rollbacks.some(({ status, error }) => status === 'not started' && error === undefined)) break;
    answer = await ask();
  }
  return answer;
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

function whyNot({
  scopes,
  reason,
  isSending,
}: {
  scopes: readonly string[];
  reason: string;
  isSending: boolean;
}) {
  if (isSending) return 'A moment…';
  if (scopes.length === 0) return 'Choose what is to go back.';
  return reason.trim() === '' ? 'Say why.' : null;
}

const pathOf = ({ scopes, to }: FormProps): string => {
  const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]));
  if (to !== 'previous') query.set('to', to);
  return `/incident?${query.toString()}`;
};

/** `inc-2026-11-20-4f3a9c`: the same incident sent again goes on with what is left of it. */
function newId(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `inc-${new Date().toISOString().slice(0, 10)}-${random.toString(16).padStart(8, '0')}`;
}
