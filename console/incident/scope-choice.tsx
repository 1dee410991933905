/** Scopes to tick, filtered by what is typed, and patterns that stand for many. */
import { useState } from 'preact/hooks';
import { Empty } from '../parts/states.tsx';
import { matching } from './pattern.ts';

/** Of more, typing leaves those that are meant. */
const SHOWN = 60;

interface ScopeChoiceProps {
  readonly all: readonly string[];
  readonly chosen: readonly string[];
  readonly onChoose: (scopes: readonly string[]) => void;
}

export function ScopeChoice({ all, chosen, onChoose }: ScopeChoiceProps) {
  const [text, setText] = useState('');
  const pattern = text.trim();
  const isPattern = pattern.includes('*');
  const fitting = isPattern ? matching(all, pattern) : containing(all, text);
  const add = (scopes: readonly string[]) => {
    onChoose([...new Set([...chosen, ...scopes])]);
    if (isPattern) setText('');
  };
  const toggle = (name: string) =>
    chosen.includes(name) ? onChoose(chosen.filter((each) => each !== name)) : add([name]);
  // What was chosen is in sight, whatever is typed: what the repository does not have first.
  const known = new Set(all);
  const special = chosen.filter((name) => !known.has(name));
  const plain = chosen.filter((name) => known.has(name));
  const shown = [...new Set([...special, ...plain.slice(0, SHOWN), ...fitting.slice(0, SHOWN)])];
  const hidden = [...new Set([...plain, ...fitting])].filter((name) => !shown.includes(name)).length;
  return (
    <fieldset class="stack">
      <legend>Scopes</legend>
      <label class="filter">
        <span>Filter, or a pattern such as */production/api</span>
        <input
          type="search"
          value={text}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            if (isPattern) add([pattern]);
          }}
        />
      </label>
      <div class="actions">
        <button
          type="button"
          disabled={pattern === '' || (fitting.length === 0 && !isPattern)}
          onClick={() => add(isPattern ? [pattern] : fitting)}
        >
          {isPattern ? `Choose the pattern (${fitting.length} now)` : 'Choose all that fit'}
        </button>
        <button type="button" disabled={chosen.length === 0} onClick={() => onChoose([])}>
          Choose none
        </button>
        <span class="hint" role="status">
          {chosen.length} chosen
        </span>
      </div>
      <Unknown of={special.filter((name) => !name.includes('*'))} chosen={chosen} onChoose={onChoose} />
      {shown.length === 0 && <Empty>No scope has that in its name.</Empty>}
      <div class="ticks">
        {shown.map((name) => (
          <label class="tick" key={name}>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
            <span>
              {name}
              {!known.has(name) && <span class="faint"> {remarkOn(name, all)}</span>}
            </span>
          </label>
        ))}
      </div>
      {hidden > 0 && <p class="hint">{hidden} more: type a part of the name.</p>}
    </fieldset>
  );
}

/** It stays chosen until somebody leaves it out: the preview says of each why it cannot be done. */
function Unknown({
  of,
  chosen,
  onChoose,
}: Pick<ScopeChoiceProps, 'chosen' | 'onChoose'> & { readonly of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <div class="verdict warn" role="alert">
      <p>
        <b>
          {of.length === 1 ? 'One scope is' : `${of.length} scopes are`} not in the repository, or not yours
          to see:
        </b>{' '}
        {of.slice(0, 10).join(', ')}
        {of.length > 10 && ` and ${of.length - 10} more`}
      </p>
      <button type="button" onClick={() => onChoose(chosen.filter((name) => !of.includes(name)))}>
        Leave {of.length === 1 ? 'it' : 'them'} out
      </button>
    </div>
  );
}

const remarkOn = (name: string, all: readonly string[]): string =>
  name.includes('*') ? `stands for ${matching(all, name).length} now` : 'not in the repository';

function containing(all: readonly string[], text: string): readonly string[] {
  const words = text.toLowerCase().split(/\s+/);
  return all.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
}
