import type { EnvironmentView } from '../contract.ts';
import type { Ask } from './ask.ts';

/** What every step of the wizard is given. */
export interface StepProps {
  readonly ask: Ask;
  readonly environment: EnvironmentView;
  /** Stays at the step; going back leads to the step before. */
  readonly choose: (change: Partial<Ask>) => void;
  readonly next: (change?: Partial<Ask>) => void;
}
