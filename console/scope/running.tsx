/** The revision that a scope has now, and the button that leads back. */
import type { Revision } from '../contract.ts';
import { type ScopeNames, scopeName, scopePath } from '../data/paths.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { durationOf } from '../parts/duration.ts';
import { LinkButton } from '../parts/link-button.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { currentOf, previousOf, ranFor } from './revisions.ts';

interface RunningProps {
  readonly names: ScopeNames;
  readonly revisions: readonly Revision[];
}

export function Running({ names, revisions }: RunningProps) {
  const current = currentOf(revisions);
  if (current === null) return <Empty>No revision of this scope is on the branch now.</Empty>;
  const { version, commit, time, author, subject, identity, status, source } = current;
  return (
    <section class="running" aria-label="What runs">
      <p class="version">
        <strong>v{version}</strong> for <Time at={time} span />
        {status !== 'unknown' && <Badge state={status} />}
        {source !== 'unknown' && <span class="faint">{source}</span>}
      </p>
      <p class="subject">{subject}</p>
      <p class="faint">
        {author.name} · <code title={commit}>{commit.slice(0, 12)}</code>
      </p>
      <WayBack names={names} revisions={revisions} />
      <Images of={[...identity.images, ...identity.charts]} />
    </section>
  );
}

const MOST_IMAGES = 6;

function Images({ of }: { readonly of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <ul class="images" aria-label="Images and charts">
      {of.slice(0, MOST_IMAGES).map((image) => (
        <li key={image}>
          <code>{image}</code>
        </li>
      ))}
      {of.length > MOST_IMAGES && <li class="faint">and {of.length - MOST_IMAGES} more</li>}
    </ul>
  );
}

function WayBack({ names, revisions }: RunningProps) {
  const target = previousOf(revisions);
  if (target === null) return <Empty>There is no earlier revision that it could be rolled back to.</Empty>;
  const ran = ranFor(revisions, target);
  const to = `v${target.version}`;
  return (
    <div class="way-back">
      <div class="actions">
        <LinkButton primary href={scopePath(names, 'rollback', { to })}>
          Roll back to {to}
          {ran !== null && ` (ran ${durationOf(ran)})`}
        </LinkButton>
        <LinkButton href={scopePath(names, 'compare', { from: to })}>Compare with {to}</LinkButton>
        <LinkButton href={scopePath(names, 'history')}>Another revision</LinkButton>
      </div>
      <Command line={commandLine('rollback', scopeName(names), '--to', to)} />
    </div>
  );
}
