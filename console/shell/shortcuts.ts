/** Keys that work on every page: `/`, `?`, `j` and `k`. They can be switched off, as some people speak to their browser. */
import { signal } from '@preact/signals';
import { keep, readKept } from '../data/kept.ts';

export const dialog = signal<'palette' | 'help' | null>(null);
export const hasKeys = signal(readKept('keys') !== 'off');

export function switchKeys(isOn: boolean): void {
  hasKeys.value = isOn;
  keep('keys', isOn ? null : 'off');
}

export function openDialog(which: NonNullable<typeof dialog.value>): void {
  dialog.value = which;
}

export function closeDialog(): void {
  dialog.value = null;
}

export function followKeys(): () => void {
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

function onKey(event: KeyboardEvent): void {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !hasKeys.value) return;
  if (isTyping(target) || document.querySelector('dialog[open]') !== null) return;
  if (key === '/') openDialog('palette');
  else if (key === '?') openDialog('help');
  else if (key === 'j' || key === 'k') step(key === 'j' ? 1 : -1);
  else if (key === 'Enter' && target instanceof HTMLElement && target.matches('tr[data-row]'))
    target.querySelector<HTMLElement>('[data-primary]')?.click();
  else return;
  event.preventDefault();
}

/** To the next row of whatever list the page has. */
function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at === -1 ? (by === 1 ? 0 : rows.length - 1) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
