/** The revision that a scope has now, and the button that leads back. */
import type { Revision, Shown } from '../contract.ts';
import { environmentCall, scopeName, scopePath } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { durationOf } from '../parts/duration.ts';
import { LinkButton } from '../parts/link-button.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Loading } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { MayNot } from './may-not.tsx';
import type { PanelProps } from './panel-props.ts';
import { currentOf, ranFor } from './revisions.ts';

interface RunningProps extends PanelProps {
  readonly revisions: readonly Revision[];
}

export function Running({ names, revisions, environment }: RunningProps) {
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
      <MayNot of={environment} />
      <WayBack {...{ names, revisions, environment }} />
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

function WayBack({ names, revisions, environment }: RunningProps) {
  // Which one that is the engine says: not one that was undone, or failed, or holds the same.
  const { value, problem } = useResource<Shown>(
    environmentCall(names, '/revisions/previous', { service: names.service, files: 'false' }),
  );
  if (value === null && problem === null) return <Loading lines={2} />;
  if (value === null) return <Empty>{problem?.message}</Empty>;
  const { version, commit } = value;
  const ran = version === null ? null : ranFor(revisions, { version });
  const lasted = ran === null ? '' : ` (ran ${durationOf(ran)})`;
  const may = environment.may.request.allowed;
  const to = version === null ? commit.slice(0, 12) : `v${version}`;
  return (
    <div class="way-back">
      <div class="actions">
        {may ? (
          <LinkButton primary href={scopePath(names, 'rollback', { to })}>
            Roll back to {to}
            {lasted}
          </LinkButton>
        ) : (
          <LinkButton href={scopePath(names, 'rollback', { to, step: 'preview' })}>
            Preview {to}
            {lasted}
          </LinkButton>
        )}
        <LinkButton href={scopePath(names, 'compare', { from: to })}>Compare with {to}</LinkButton>
        <LinkButton href={scopePath(names, 'history')}>Another revision</LinkButton>
      </div>
      <Command line={commandLine(may ? 'rollback' : 'plan', scopeName(names), '--to', to)} />
    </div>
  );
}
