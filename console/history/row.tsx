/** One revision, and its details where somebody opened them. */
import type { Revision } from '../contract.ts';
import { type ScopeNames, scopePath } from '../data/paths.ts';
import { Badge } from '../parts/badge.tsx';
import { LinkButton } from '../parts/link-button.tsx';
import { Time } from '../parts/time.tsx';
import { RevisionDetails } from './details.tsx';

interface RowProps {
  readonly names: ScopeNames;
  readonly of: Revision;
  /** Milliseconds until the next revision; null: it is the newest. */
  readonly ran: number | null;
  readonly isOpen: boolean;
  /** Whether this person may ask for a rollback here. */
  readonly mayAsk: boolean;
  readonly onToggle: () => void;
}

export function RevisionRow({ names, of, ran, isOpen, mayAsk, onToggle }: RowProps) {
  const { version, time, author, subject, source } = of;
  const id = `v${version}`;
  return (
    <>
      <tr role="row" data-row tabIndex={-1} class={of.current ? 'current' : undefined}>
        <td role="cell" class="revision">
          <div>
            <button
              type="button"
              class="quiet toggle"
              data-primary
              aria-expanded={isOpen}
              aria-label={`Details of ${id}: ${subject}`}
              onClick={onToggle}
            >
              <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> <b>{id}</b>
            </button>
            <span class="subject">{subject}</span>
          </div>
        </td>
        <td role="cell" class="timestamp">
          <Time at={time} quiet />
        </td>
        <td role="cell" class="author">
          {author.name}
        </td>
        <td role="cell" class="changes">
          {changesOf(of)}
        </td>
        <td role="cell" class="source">
          {source}
        </td>
        <td role="cell" class="status">
          <Status of={of} />
        </td>
        <td role="cell" class="actions">
          <Actions names={names} of={of} mayAsk={mayAsk} />
        </td>
      </tr>
      {isOpen && (
        <tr role="row" class="details">
          <td role="cell" colSpan={7}>
            <RevisionDetails names={names} of={of} ran={ran} mayAsk={mayAsk} />
          </td>
        </tr>
      )}
    </>
  );
}

function Actions({ names, of: { current, version }, mayAsk }: Pick<RowProps, 'names' | 'of' | 'mayAsk'>) {
  if (current) return null;
  const id = `v${version}`;
  return (
    <>
      {mayAsk ? (
        <LinkButton href={scopePath(names, 'rollback', { to: id })}>Roll back to this revision</LinkButton>
      ) : (
        <LinkButton href={scopePath(names, 'rollback', { to: id, step: 'preview' })}>
          Preview this revision
        </LinkButton>
      )}
      <LinkButton href={scopePath(names, 'compare', { from: id })}>Compare with current</LinkButton>
    </>
  );
}

function Status({ of: { current, status, eligible, breakGlass } }: Pick<RowProps, 'of'>) {
  return (
    <span class="badges">
      {current && <Badge state="current" />}
      {status !== 'unknown' && <Badge state={status} />}
      {!eligible && <Badge state="unchecked" name="not eligible" />}
      {breakGlass !== null && <Badge state="warn" name="break-glass" />}
      {!current && eligible && status === 'unknown' && <span class="faint">no record</span>}
    </span>
  );
}

const MOST_SERVICES = 2;

/** `api 3 fields, web 1 file and 2 more` */
function changesOf({ changes }: Revision): string {
  const texts = changes.slice(0, MOST_SERVICES).map(({ service, fields, files }) => {
    const [count, noun] = fields.length > 0 ? [fields.length, 'field'] : [files.length, 'file'];
    return `${service ?? 'the environment'} ${count} ${noun}${count === 1 ? '' : 's'}`;
  });
  const more = changes.length - texts.length;
  return `${texts.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
