/** The revision that is returned to: what ran, who, when, and whether it is fit. */
import { useState } from 'preact/hooks';
import type { History, Revision, Shown } from '../contract.ts';
import { environmentCall, historyCall, type ScopeNames } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { durationOf } from '../parts/duration.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { ranFor } from '../scope/revisions.ts';
import { Radius } from '../plan/radius.tsx';
import { bodyOf, offerOf } from './ask.ts';
import { Buttons } from './buttons.tsx';
import { Line } from './line.tsx';
import type { StepProps } from './step-props.ts';

const ROWS = 30;

export function RevisionStep({ ask, environment, choose, next }: StepProps) {
  const { names, to } = ask;
  const [cursors, setCursors] = useState<readonly string[]>(['']);
  // Which one is the way back the engine says: not one that was undone, or failed, or holds the same.
  const { value: previous } = useResource<Shown>(
    environmentCall(names, '/revisions/previous', { service: names.service }),
  );
  const suggested = previous === null ? '' : `v${previous.version ?? ''}`;
  const chosen = to === '' && previous?.version ? suggested : to;
  const asked = { ...ask, to: chosen };
  const isField = ask.mode === 'field';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        next({ to: chosen });
      }}
    >
      <fieldset class="options">
        <legend class="hidden">Revision</legend>
        {cursors.map((cursor, index) => (
          <Rows
            key={cursor}
            names={names}
            cursor={cursor}
            chosen={chosen}
            suggested={suggested}
            onChoose={(revision) => choose({ to: revision })}
            onMore={index === cursors.length - 1 ? (more) => setCursors([...cursors, more]) : null}
          />
        ))}
      </fieldset>
      <label class="field">
        <span>Or another: a commit, a tag, @2h</span>
        <input
          value={/^v\d+$/.test(chosen) ? '' : chosen}
          autocomplete="off"
          spellcheck={false}
          maxLength={255}
          onChange={({ currentTarget: { value } }) => choose({ to: value.trim() })}
        />
      </label>
      {chosen !== '' && (
        <section class="part" aria-label="Blast radius" aria-live="polite">
          <Radius body={isField ? offerOf(asked) : bodyOf(asked)} isOffer={isField} />
        </section>
      )}
      <Buttons ask={ask} why={chosen === '' ? 'Choose a revision.' : null} />
      {chosen !== '' && <Line ask={asked} environment={environment} />}
    </form>
  );
}

interface RowsProps {
  readonly names: ScopeNames;
  readonly cursor: string;
  readonly chosen: string;
  readonly suggested: string;
  readonly onChoose: (revision: string) => void;
  readonly onMore: ((next: string) => void) | null;
}

function Rows({ names, cursor, onMore, ...rest }: RowsProps) {
  const found = useResource<History>(historyCall(names, { limit: ROWS, cursor }));
  return (
    <Resource of={found} lines={6}>
      {({ revisions, next }) => (
        <>
          {revisions.length === 0 && cursor === '' && <Empty>No revision has changed this scope.</Empty>}
          {revisions.map((revision) => (
            <Row key={revision.commit} of={revision} ran={ranFor(revisions, revision)} {...rest} />
          ))}
          {next !== null && onMore !== null && (
            <button type="button" onClick={() => onMore(next)}>
              Show more
            </button>
          )}
        </>
      )}
    </Resource>
  );
}

interface RowProps extends Pick<RowsProps, 'chosen' | 'suggested' | 'onChoose'> {
  readonly of: Revision;
  readonly ran: number | null;
}

function Row({ of, ran, chosen, suggested, onChoose }: RowProps) {
  const { version, commit, time, author, subject, source, status, current, eligible, reasons, identity } = of;
  const id = `v${version}`;
  const what = [...identity.images, ...identity.charts];
  return (
    <label class="option">
      <input
        type="radio"
        name="revision"
        checked={id === chosen}
        disabled={current}
        onChange={() => onChoose(id)}
      />
      <span>
        <span class="badges">
          <b>{id}</b>
          {current && <Badge state="current" name="runs now" />}
          {id === suggested && <Badge state="proposed" name="the one before" />}
          {status !== 'unknown' && <Badge state={status} />}
          {eligible ? (
            !current && <Badge state="same" name="eligible" />
          ) : (
            <Badge state="unchecked" name="not eligible" />
          )}
        </span>{' '}
        <span class="subject block">{subject}</span>
        {what.length > 0 && (
          <span class="block faint">
            <code>{what.slice(0, 3).join(', ')}</code>
            {what.length > 3 && ` and ${what.length - 3} more`}
          </span>
        )}
        <span class="block faint">
          <bdi>{author.name}</bdi>, <Time at={time} quiet />
          {ran !== null && `, ran ${durationOf(ran)}`}
          {source !== 'unknown' && `, ${source}`} · <code>{commit.slice(0, 12)}</code>
        </span>
        {!eligible && reasons.length > 0 && <span class="block failure">{reasons.join('; ')}</span>}
      </span>
    </label>
  );
}
