/** One below the other, or side by side where there is room for it. */
import { signal } from '@preact/signals';
import { keep, readKept } from '../data/kept.ts';

const VIEWS = { unified: 'Unified', split: 'Split' } as const;
type View = keyof typeof VIEWS;

const chosen = signal<View>(readKept('difference') === 'split' ? 'split' : 'unified');
const wide = matchMedia('(min-width: 60rem)');
const isWide = signal(wide.matches);
wide.addEventListener('change', () => (isWide.value = wide.matches));

export const useView = (): View => (isWide.value ? chosen.value : 'unified');

export function ViewChoice() {
  if (!isWide.value) return null;
  const choose = (view: View) => {
    chosen.value = view;
    keep('difference', view);
  };
  return (
    <div class="choice" role="group" aria-label="How differences are shown">
      {(['unified', 'split'] as const).map((view) => (
        <button key={view} type="button" aria-pressed={chosen.value === view} onClick={() => choose(view)}>
          {VIEWS[view]}
        </button>
      ))}
    </div>
  );
}
