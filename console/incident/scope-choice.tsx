/** Scopes to tick, filtered by what is typed. */
import { useState } from 'preact/hooks';
import { Empty } from '../parts/states.tsx';

/** Of more, typing leaves those that are meant. */
const SHOWN = 60;

export function ScopeChoice({
  all,
  chosen,
  onChoose,
}: {
  readonly all: readonly string[];
  readonly chosen: readonly string[];
  readonly onChoose: (scopes: readonly string[]) => void;
}) {
  const [text, setText] = useState('');
  const words = text.toLowerCase().split(/\s+/);
  const fitting = all.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  const shown = [...new Set([...chosen, ...fitting.slice(0, SHOWN)])];
  const toggle = (name: string) =>
    onChoose(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
  return (
    <fieldset class="stack">
      <legend>Scopes</legend>
      <label class="filter">
        <span>Filter</span>
        <input type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
      </label>
      <div class="actions">
        <button
          type="button"
          disabled={text.trim() === '' || fitting.length === 0}
          onClick={() => onChoose([...new Set([...chosen, ...fitting])])}
        >
          Choose all that fit
        </button>
        <button type="button" disabled={chosen.length === 0} onClick={() => onChoose([])}>
          Choose none
        </button>
        <span class="hint" role="status">
          {chosen.length} chosen
        </span>
      </div>
      {shown.length === 0 && <Empty>No scope has that in its name.</Empty>}
      <div class="ticks">
        {shown.map((name) => (
          <label class="tick" key={name}>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
            <span>{name}</span>
          </label>
        ))}
      </div>
      {fitting.length > SHOWN && <p class="hint">{fitting.length - SHOWN} more: type a part of the name.</p>}
    </fieldset>
  );
}
