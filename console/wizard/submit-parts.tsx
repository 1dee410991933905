/** What is said before something is submitted. */
import type { GatedPlan } from '../contract.ts';
import { LinkButton } from '../parts/link-button.tsx';
import { Prose } from '../parts/prose.tsx';
import { revisionName } from '../plan/revision-name.ts';
import { type Ask, askPath } from './ask.ts';

/** In one sentence. */
export function Summary({ ask, of }: { readonly ask: Ask; readonly of: GatedPlan }) {
  const { scope, impact, overrides = [], hold } = of;
  const { fields, files, services } = impact;
  return (
    <>
      <p class="from-to">
        <b>{scope}</b> goes back to <b>{revisionName(of)}</b>
        {ask.mode === 'field' && `, ${ask.fields.length} chosen`}: {count(services.length, 'service')},{' '}
        {count(files, 'file')}, {count(fields, 'field')}.{hold !== undefined && ' Automation is held.'}
      </p>
      {overrides.length > 0 && (
        <p class="verdict warn">
          <b>Overridden:</b> {overrides.join(', ')}. That becomes part of the record, with your reason.
        </p>
      )}
    </>
  );
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** The repository moved on since the plan was looked at. */
export function Changed({ of, href }: { readonly of: readonly string[]; readonly href: string }) {
  return (
    <section class="problem refused" role="alert">
      <h3>The plan changed since you looked at it</h3>
      <p>Nothing was submitted. What it would change now:</p>
      {of.length === 0 ? (
        <p>The same fields and files as before, planned on a newer revision.</p>
      ) : (
        <ul class="fields">
          {of.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <div class="actions">
        <LinkButton href={href}>Look at it</LinkButton>
      </div>
    </section>
  );
}

/** Nobody submits what they have not seen. */
export function Unseen({ ask, wasSeen }: { readonly ask: Ask; readonly wasSeen: boolean }) {
  return (
    <section class="problem refused" role={wasSeen ? 'alert' : undefined}>
      <h3>{wasSeen ? 'The plan changed since you looked at it' : 'Look at the plan first'}</h3>
      <p>A rollback is submitted as it was looked at, and not otherwise.</p>
      <div class="actions">
        <LinkButton primary href={askPath(ask, { step: 'preview' })}>
          Look at it
        </LinkButton>
      </div>
    </section>
  );
}

export function Refusal({ of }: { readonly of: GatedPlan['gate']['may']['request'] }) {
  if (of.allowed) return null;
  return (
    <p class="verdict failure">
      <b>You may not ask for it:</b> <Prose text={`${of.message} ${of.hint}`} />
    </p>
  );
}

/** Where a slip would cost most. */
export function Typed({
  scope,
  isRemoval,
  value,
  onType,
}: {
  readonly scope: string;
  readonly isRemoval: boolean;
  readonly value: string;
  readonly onType: (text: string) => void;
}) {
  return (
    <label class="field">
      <span>
        Type <code>{scope}</code> to confirm {isRemoval ? 'the removal' : 'that all of it goes back'}
      </span>
      <input
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={value}
        onInput={({ currentTarget }) => onType(currentTarget.value.trim())}
      />
    </label>
  );
}
