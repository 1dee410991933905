/** The keys of the page. */
import { Dialog } from '../parts/dialog.tsx';
import { closeDialog, hasKeys, switchKeys } from './shortcuts.ts';

const KEYS = [
  ['/', 'Go to an environment, a service or a page'],
  ['j, k', 'The next row of a list, the one before'],
  ['Enter', 'Open the row, or its details'],
  ['← →', 'The next tab, the one before'],
  ['Esc', 'Close what is open'],
  ['?', 'These keys'],
] as const;

export function Help() {
  return (
    <Dialog title="Keys" onClose={closeDialog}>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </>
        ))}
      </dl>
      <label class="tick">
        <input
          type="checkbox"
          checked={hasKeys.value}
          onChange={({ currentTarget }) => switchKeys(currentTarget.checked)}
        />
        Keys without Ctrl or Alt do something
      </label>
    </Dialog>
  );
}
