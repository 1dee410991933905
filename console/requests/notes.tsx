/** What people wrote down of a request, and one note more. */
import { useState } from 'preact/hooks';
import type { RequestView } from '../contract.ts';
import { call } from '../data/call.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';

const KINDS: readonly (readonly [kind: string, name: string])[] = [
  ['note', 'Note'],
  ['root-cause', 'Root cause'],
  ['corrective-action', 'Corrective action'],
  ['incident', 'Incident'],
];
const nameOf = (kind: string) => KINDS.find(([each]) => each === kind)?.[1] ?? kind;

export function Notes({ of: { id, notes } }: { readonly of: RequestView }) {
  return (
    <section class="part" aria-label="Notes">
      <h2>Notes</h2>
      <ul class="rows">
        {notes.map((note) => (
          <li class="row" key={note.id}>
            <span class="grow">
              <b>{nameOf(note.kind)}</b> <span class="reason">{note.text}</span>
            </span>
            <span class="faint side">
              <bdi>{note.actor.name}</bdi>, <Time at={note.at} />
            </span>
          </li>
        ))}
      </ul>
      <NoteForm id={id} />
    </section>
  );
}

function NoteForm({ id }: { readonly id: string }) {
  const [text, setText] = useState('');
  const [kind, setKind] = useState('note');
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const add = async () => {
    setProblem(null);
    const body = { text, kind };
    const key = crypto.getRandomValues(new Uint32Array(6)).join('-');
    const answer = await call(`/rollbacks/${id}/notes`, { method: 'POST', body, key });
    if (answer.ok) setText('');
    else setProblem(answer.problem);
    refresh();
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '') void add();
      }}
    >
      <div class="sides">
        <label class="field">
          <span>New note</span>
          <input
            value={text}
            maxLength={4000}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>Kind</span>
          <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
            {KINDS.map(([each, name]) => (
              <option key={each} value={each}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="actions">
        <button type="submit" disabled={text.trim() === ''}>
          Add note
        </button>
      </div>
      {problem !== null && <Problem problem={problem} />}
      <Command
        line={commandLine(
          'request',
          'note',
          ...(kind === 'note' ? [] : ['--kind', kind]),
          id,
          // It is no option, however it begins.
          text.startsWith('-') && '--',
          text || 'TEXT',
        )}
      />
    </form>
  );
}
