/** The way on and the way back of a step. `why`: why there is no way on yet. */
import { LinkButton } from '../parts/link-button.tsx';
import { type Ask, askPath, STEPS } from './ask.ts';

export function Buttons({
  ask,
  why = null,
  name = 'Next',
}: {
  readonly ask: Ask;
  readonly why?: string | null;
  readonly name?: string;
}) {
  const before = STEPS[STEPS.indexOf(ask.step) - 1];
  return (
    <div class="actions way-on">
      {before !== undefined && <LinkButton href={askPath(ask, { step: before })}>Back</LinkButton>}
      <button type="submit" class="primary" disabled={why !== null}>
        {name}
      </button>
      {why !== null && (
        <p class="hint" role="status">
          {why}
        </p>
      )}
    </div>
  );
}
