/** The command palette: type a part of a name, and go there. */
import { useLocation } from 'preact-iso';
import { useId, useMemo, useState } from 'preact/hooks';
import type { Environments } from '../contract.ts';
import { scopeName, scopePath } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Dialog } from '../parts/dialog.tsx';
import { closeDialog } from './shortcuts.ts';

interface Place {
  readonly name: string;
  readonly href: string;
}

const PAGES: readonly Place[] = [
  { name: 'Environments', href: '/' },
  { name: 'Requests', href: '/requests' },
  { name: 'Requests: all', href: '/requests?state=all' },
  { name: 'Holds', href: '/holds' },
  { name: 'Audit', href: '/audit' },
  { name: 'Incident', href: '/incident' },
];
const MOST = 12;

export function Palette() {
  const { route } = useLocation();
  const { value } = useResource<Environments>('/environments');
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const places = useMemo(() => [...placesOf(value), ...PAGES], [value]);
  const found = places.filter(({ name }) => hasAll(name, text)).slice(0, MOST);
  const chosen = Math.min(at, found.length - 1);
  const go = (place: Place | undefined) => {
    if (place === undefined) return;
    closeDialog();
    route(place.href);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0));
    else if (event.key === 'Enter') go(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={closeDialog}>
      <input
        class="wide"
        role="combobox"
        aria-label="Go to"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={found.length > 0 ? `${list}-${chosen}` : undefined}
        autocomplete="off"
        spellcheck={false}
        autofocus
        placeholder="acme prod api"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul class="found" role="listbox" id={list} aria-label="Places">
        {found.map((place, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the input above has the keys
          <li
            role="option"
            id={`${list}-${index}`}
            aria-selected={index === chosen}
            onClick={() => go(place)}
          >
            {place.name}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="empty">Nothing has that name.</p>}
    </Dialog>
  );
}

const placesOf = (found: Environments | null): Place[] =>
  (found?.environments ?? []).flatMap((environment) =>
    [null, ...environment.services].map((service) => {
      const names = { ...environment, service };
      return { name: scopeName(names), href: scopePath(names) };
    }),
  );

/** Each word that was typed, in any order. */
const hasAll = (name: string, text: string) =>
  text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => name.toLowerCase().includes(word));
