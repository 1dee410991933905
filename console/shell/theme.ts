/** Dark or light: as the system has it, unless somebody chose. */
import { signal } from '@preact/signals';
import { keep, readKept } from '../data/kept.ts';

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

export const theme = signal<Theme>(THEMES.find((each) => each === readKept('theme')) ?? 'system');

export function applyTheme(): void {
  theme.subscribe((chosen) => {
    if (chosen === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = chosen;
  });
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  keep('theme', chosen === 'system' ? null : chosen);
}
