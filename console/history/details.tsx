/** All that is known of a revision. */
import type { Revision } from '../contract.ts';
import { type ScopeNames, scopeName } from '../data/paths.ts';
import { Command } from '../parts/command.tsx';
import { durationOf, exactly } from '../parts/duration.ts';
import { commandLine } from '../parts/shell-words.ts';

interface DetailsProps {
  readonly names: ScopeNames;
  readonly of: Revision;
  readonly ran: number | null;
  readonly mayAsk: boolean;
}

export function RevisionDetails({ names, of, ran, mayAsk }: DetailsProps) {
  const { version, commit, time, author, reasons, identity, rolledBackBy, undoneBy, rollbackOf, breakGlass } =
    of;
  const id = `v${version}`;
  const facts: readonly (readonly [string, string | null])[] = [
    ['Commit', commit],
    ['Time', exactly(time)],
    ['Ran', ran === null ? null : durationOf(ran)],
    ['Author', `${author.name} <${author.email}>`],
    ['Not eligible', reasons.length === 0 ? null : reasons.join('; ')],
    ['Rolled back by', rolledBackBy],
    ['Undone by', undoneBy],
    ['Returned to', rollbackOf === null ? null : nameOf(rollbackOf)],
    ['Break-glass session', breakGlass],
    ['Images', listed(identity.images)],
    ['Charts', listed(identity.charts)],
    ['Sources', listed(identity.revisions)],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name} class={value.length > 60 ? 'wide' : undefined}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <Changes of={of} />
      {!of.current && (
        <>
          <Command line={commandLine(mayAsk ? 'rollback' : 'plan', scopeName(names), '--to', id)} />
          <Command line={commandLine('compare', scopeName(names), id)} />
        </>
      )}
      <Command line={commandLine('show', scopeName(names), id)} />
    </>
  );
}

const listed = (names: readonly string[]) => (names.length === 0 ? null : names.join(', '));

const nameOf = ({ version, commit }: NonNullable<Revision['rollbackOf']>) =>
  version === null ? commit : `v${version}, ${commit}`;

function Changes({ of: { changes } }: Pick<DetailsProps, 'of'>) {
  return (
    <ul class="fields" aria-label="Changes">
      {changes.flatMap(({ service, fields, files }) =>
        (fields.length > 0 ? fields : files).map((name) => (
          <li key={`${service ?? ''} ${name}`}>
            {service !== null && <b>{service} </b>}
            <code class="path">{name}</code>
          </li>
        )),
      )}
    </ul>
  );
}
