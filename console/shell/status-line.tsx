/** The foot of every page: whether it is up to date, of what it is, and for whom. */
import type { Repository } from '../contract.ts';
import { connection, type Connection } from '../data/events.ts';
import { useResource } from '../data/resource.ts';
import { session, signOut } from '../data/session.ts';
import { openDialog } from './shortcuts.ts';
import { chooseTheme, type Theme, theme, THEMES } from './theme.ts';

const SAYS: Readonly<Record<Connection, readonly [sign: string, text: string]>> = {
  connecting: ['○', 'Connecting'],
  live: ['●', 'Live'],
  polling: ['◐', 'Not live: asking every 10 seconds'],
  offline: ['×', 'Offline: what is shown may be old'],
};
const THEME_NAMES: Readonly<Record<Theme, string>> = {
  system: 'As the system',
  dark: 'Dark',
  light: 'Light',
};

export function StatusLine() {
  const { value: repository } = useResource<Repository>('/repository');
  const [sign, text] = SAYS[connection.value];
  const known = session.value;
  return (
    <footer class="foot">
      <p class={`connection ${connection.value}`} role="status">
        <span aria-hidden="true">{sign}</span> {text}
      </p>
      {repository !== null && (
        <p class="served">
          {repository.location} · {repository.destination.branch}
        </p>
      )}
      <label class="theme">
        <span class="hidden">Colours</span>
        <select
          value={theme.value}
          onChange={({ currentTarget: { value } }) =>
            chooseTheme(THEMES.find((each) => each === value) ?? 'system')
          }
        >
          {THEMES.map((each) => (
            <option value={each}>{THEME_NAMES[each]}</option>
          ))}
        </select>
      </label>
      <button type="button" class="quiet" onClick={() => openDialog('help')}>
        Keys <kbd>?</kbd>
      </button>
      {known.state === 'signed-in' && known.me.how !== 'single-user' && (
        <button type="button" class="quiet" onClick={() => void signOut()}>
          Sign out {known.me.person.name}
        </button>
      )}
    </footer>
  );
}
