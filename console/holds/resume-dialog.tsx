/** Lifting a hold is a commit too: what it changes is shown before, and bound to what was shown. */
import { useEffect, useState } from 'preact/hooks';
import type { Environments, GatedPlan, Hold, Opened } from '../contract.ts';
import { call } from '../data/call.ts';
import { scopeNamed, type ScopeNames } from '../data/paths.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh, useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Findings } from '../parts/findings.tsx';
import { Prose } from '../parts/prose.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Loading, Problem } from '../parts/states.tsx';

export function ResumeDialog({ hold, onClose }: { readonly hold: Hold; readonly onClose: () => void }) {
  const { value } = useResource<Environments>('/environments');
  const [plan, setPlan] = useState<GatedPlan | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const names = value === null ? null : scopeNamed(hold.scope, value.tenants);
  useEffect(() => {
    if (names === null) return;
    void planResume(names).then((answer) => (answer.ok ? setPlan(answer.value) : setProblem(answer.problem)));
  }, [value === null]);
  return (
    <Dialog title={`Resume automation of ${hold.scope}`} onClose={onClose}>
      {problem !== null && <Problem problem={problem} />}
      {opened !== null && <Done of={opened} />}
      {opened === null && plan === null && problem === null && <Loading lines={3} />}
      {opened === null && plan !== null && (
        <Form
          plan={plan}
          onSubmit={async (justification) => {
            setProblem(null);
            const body = { scope: hold.scope, digest: plan.digest, justification };
            const answer = await call<Opened>('/holds/resume', {
              method: 'POST',
              body,
              key: crypto.randomUUID(),
            });
            if (answer.ok) setOpened(answer.value);
            else setProblem(answer.problem);
            refresh();
          }}
        />
      )}
    </Dialog>
  );
}

const planResume = ({ tenant, environment, service }: ScopeNames) =>
  call<GatedPlan>('/plans', {
    method: 'POST',
    body: { ...(tenant && { tenant }), environment, ...(service && { service }), resume: true },
  });

function Form({
  plan: { scope, findings, gate, resumes = [] },
  onSubmit,
}: {
  readonly plan: GatedPlan;
  readonly onSubmit: (justification: string) => Promise<void>;
}) {
  const [reason, setReason] = useState('');
  const [isSending, setSending] = useState(false);
  const isBlocked = findings.some(({ severity, overridden }) => severity === 'block' && !overridden);
  const { request } = gate.may;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setSending(true);
        void onSubmit(reason).finally(() => setSending(false));
      }}
    >
      <p>
        {resumes.length === 1 ? 'One hold is' : `${resumes.length} holds are`} lifted, and automation may move
        the fields on.{' '}
        {gate.needsApproval
          ? `${gate.quorum} of ${gate.approvers.join(', ')} have to approve it first.`
          : 'Nobody has to approve it.'}
      </p>
      <Findings of={findings} />
      {!request.allowed && (
        <p class="failure">
          <Prose text={`${request.message} ${request.hint}`} />
        </p>
      )}
      <label class="field">
        <span>Reason</span>
        <textarea
          required
          rows={2}
          value={reason}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
        />
      </label>
      <div class="actions">
        <button class="primary" type="submit" disabled={isSending || isBlocked || !request.allowed}>
          Resume automation
        </button>
      </div>
      <Command line={commandLine('resume', scope, '--reason', reason || 'REASON')} />
    </form>
  );
}

function Done({ of: { status, request, commit } }: { readonly of: Opened }) {
  return (
    <p role="status">
      <Badge state={status} />{' '}
      {status === 'completed' ? 'Automation may move it on again.' : 'It was asked for.'}{' '}
      {commit !== null && <code>{commit.slice(0, 12)}</code>}{' '}
      {request !== null && <a href={`/requests/${request.id}`}>Its request</a>}
    </p>
  );
}
