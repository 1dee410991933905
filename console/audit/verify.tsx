/** Every rollback made again from Git alone, and compared: what is not as it should be comes first. */
import { useState } from 'preact/hooks';
import type { AuditReport } from '../contract.ts';
import { call } from '../data/call.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Loading, Problem } from '../parts/states.tsx';

export function Verify({ scope }: { readonly scope: string }) {
  const [range, setRange] = useState('');
  const [report, setReport] = useState<AuditReport | null>(null);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const [isAsking, setAsking] = useState(false);
  const verify = async () => {
    setAsking(true);
    setProblem(null);
    const body = { ...(range !== '' && { range }), ...(scope !== '' && { scopes: [scope] }) };
    const answer = await call<AuditReport>('/audit/verify', { method: 'POST', body });
    setAsking(false);
    if (answer.ok) setReport(answer.value);
    else setProblem(answer.problem);
  };
  return (
    <section class="part stack" aria-label="Verify">
      <p class="faint">
        Makes every rollback of {scope === '' ? 'the branch' : scope} again from Git alone, and compares it
        with what was committed, and with the ledger.
      </p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void verify();
        }}
      >
        <label class="field">
          <span>Range, as FROM..TO (empty: all of the branch)</span>
          <input
            value={range}
            autocomplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => setRange(currentTarget.value.trim())}
          />
        </label>
        <div class="actions">
          <button type="submit" class="primary" disabled={isAsking}>
            Verify
          </button>
        </div>
      </form>
      {isAsking && <Loading lines={2} />}
      {problem !== null && <Problem problem={problem} />}
      {report !== null && !isAsking && <Report of={report} />}
      <Command line={commandLine('audit', 'verify', range || null, scope || null)} />
    </section>
  );
}

/** What a reader has to see first. */
const ORDER = ['tampered', 'unverifiable', 'honest'] as const;
const SHOWN = 200;
const TONES = { tampered: 'failed', unverifiable: 'warn', honest: 'completed' } as const;

function Report({ of }: { readonly of: AuditReport }) {
  const { checked, honest, tampered, unverifiable, rows, ledger, outside } = of;
  const isGood = tampered === 0 && unverifiable === 0 && ledger.problems.length === 0;
  const sorted = rows.toSorted((one, other) => ORDER.indexOf(one.verdict) - ORDER.indexOf(other.verdict));
  return (
    <div class="stack" role="status">
      <p class={`verdict ${isGood ? '' : tampered > 0 ? 'failure' : 'warn'}`}>
        {checked === 0 ? (
          <b>There is no rollback to check in it. </b>
        ) : (
          <>
            <b>
              {honest} of {checked} honest
            </b>
            , {tampered} tampered, {unverifiable} unverifiable.{' '}
          </>
        )}
        {ledger.tip === null
          ? 'There is no ledger.'
          : ledger.problems.length === 0
            ? 'The ledger is whole.'
            : 'The ledger is not whole.'}
      </p>
      {ledger.problems.map(({ code, message }) => (
        <p class="failure" key={`${code} ${message}`}>
          {message} <span class="code">{code}</span>
        </p>
      ))}
      <ul class="rows">
        {sorted.slice(0, SHOWN).map(({ commit, requestId, scope, verdict, problems }) => (
          <li class="row" key={`${commit} ${requestId}`}>
            <Badge state={TONES[verdict]} name={verdict} />
            <span class="grow">
              <b>{scope}</b> <code>{commit.slice(0, 12)}</code>
              {problems.map(({ code, message }) => (
                <span class="failure block" key={`${code} ${message}`}>
                  {message} <span class="code">{code}</span>
                </span>
              ))}
            </span>
            {requestId !== '' && (
              <a class="target" href={`/requests/${requestId}`}>
                {requestId}
              </a>
            )}
          </li>
        ))}
      </ul>
      {sorted.length > SHOWN && <p class="hint">{sorted.length - SHOWN} more: the command line lists all.</p>}
      {outside.length > 0 && <Outside of={outside} />}
    </div>
  );
}

function Outside({ of }: { readonly of: AuditReport['outside'] }) {
  return (
    <>
      <h3>Made outside of Backtrail</h3>
      <ul class="fields">
        {of.map(({ commit, kind, subject }) => (
          <li key={commit}>
            <Badge state="warn" name={kind} /> <code>{commit.slice(0, 12)}</code> <bdi>{subject}</bdi>
          </li>
        ))}
      </ul>
    </>
  );
}
