/** One request: what it would change, who agreed, what became of it. Links of chats and mails lead approvers here. */
import { useRoute } from 'preact-iso';
import type { RequestPlan, RequestView } from '../contract.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { Findings } from '../parts/findings.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Resource } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { Title } from '../parts/title.tsx';
import { Changes } from '../plan/changes.tsx';
import { Impact } from '../plan/impact.tsx';
import { After } from './after.tsx';
import { Decision } from './decision.tsx';
import { News } from './news.tsx';
import { Notes } from './notes.tsx';
import { Progress } from './progress.tsx';
import { PullRequest } from './pull-request.tsx';
import { Review } from './review.tsx';
import { targetName } from './target-name.ts';
import { Votes } from './votes.tsx';

export function RequestPage() {
  const { params } = useRoute();
  const found = useResource<RequestView>(`/rollbacks/${encodeURIComponent(params['id'] ?? '')}`);
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href="/requests">Requests</a>
      </nav>
      <Title name={titleOf(found.value)} />
      <Resource of={found} lines={8}>
        {(request) => <Request key={request.id} of={request} />}
      </Resource>
    </>
  );
}

function titleOf(request: RequestView | null): string {
  if (request === null) return 'Request';
  const { scopeName, resume } = request;
  if (resume) return `Resume automation of ${scopeName}`;
  return `${scopeName} to ${targetName(request)}`;
}

/** What may still change something. */
const OPEN: ReadonlySet<RequestView['status']> = new Set(['pending', 'approved', 'executing', 'failed']);

function Request({ of }: { readonly of: RequestView }) {
  const isOpen = OPEN.has(of.status);
  const plan = useResource<RequestPlan>(isOpen ? `/rollbacks/${of.id}/plan` : null);
  return (
    <div class="stack">
      <Head of={of} />
      {of.status === 'pending' && (
        <p>
          <a class="target" href="#decision">
            To the decision
          </a>
        </p>
      )}
      <Progress of={of} />
      <PullRequest of={of} />
      {isOpen && <News of={of} plan={plan.value} />}
      <Votes of={of} />
      {isOpen && (
        <Resource of={plan} lines={6}>
          {(value) => <Planned of={value} />}
        </Resource>
      )}
      {isOpen && <Decision of={of} plan={plan} />}
      {of.status === 'completed' && <After of={of} />}
      <Review of={of} />
      <Notes of={of} />
      <Command line={commandLine('request', 'show', of.id)} />
    </div>
  );
}

function Planned({ of }: { readonly of: RequestPlan }) {
  return (
    <>
      {of.findings.length > 0 && <h3>Findings</h3>}
      <Findings of={of.findings} areFolded />
      <Impact of={of} />
      <Changes of={of} />
    </>
  );
}

function Head({ of }: { readonly of: RequestView }) {
  const { id, status, justification, author, authorIdentity, createdAt, expiresAt, scope, automatic } = of;
  const { overrides = [], breakGlass, follows, supersededBy, incident, problems = [], allowRemoval } = of;
  const { cancelled } = of;
  return (
    <section class="running" aria-label="Request">
      <p class="version">
        <Badge state={status} /> <span>{scope.mode}</span>
        {breakGlass !== null && <Badge state="warn" name="break-glass" />}
      </p>
      <p class="subject reason">{justification}</p>
      <p class="faint">
        <bdi>{author.name}</bdi> &lt;{author.email}&gt;{authorIdentity === 'unverified' && ' (unverified)'},{' '}
        <Time at={createdAt} />
        {status === 'pending' && expiresAt !== null && (
          <>
            {', expires '}
            <Time at={expiresAt} />
          </>
        )}
        {' · '}
        <code>{id}</code>
      </p>
      {automatic !== undefined && <p>Asked for by a worker that saw: {automatic.seen}</p>}
      {(scope.fields ?? []).map((field) => (
        <p key={field}>
          <code class="path">{field}</code>
        </p>
      ))}
      {overrides.length > 0 && <p class="verdict warn">Overrides {overrides.join(', ')}.</p>}
      {allowRemoval && <p class="verdict warn">Removes what did not exist at the revision.</p>}
      {follows !== null && <Other name="Follows" id={follows} />}
      {supersededBy !== null && <Other name="Superseded by" id={supersededBy} />}
      {cancelled !== undefined && (
        <p>
          Cancelled by <bdi>{cancelled.actor.name}</bdi> &lt;{cancelled.actor.email}&gt;,{' '}
          <Time at={cancelled.at} />
          {cancelled.reason !== null && `: ${cancelled.reason}`}
        </p>
      )}
      {incident !== undefined && (
        <p>
          Part of incident <a href={`/incident?id=${encodeURIComponent(incident)}`}>{incident}</a>
        </p>
      )}
      {problems.map((problem) => (
        <p class="failure" key={problem}>
          {problem}
        </p>
      ))}
    </section>
  );
}

function Other({ name, id }: { readonly name: string; readonly id: string }) {
  return (
    <p>
      {name} <a href={`/requests/${id}`}>{id}</a>
    </p>
  );
}
