/** What the step would do, as a command line to copy; nothing until all of it is chosen. */
import { Command } from '../parts/command.tsx';
import { type Ask, lineOf } from './ask.ts';
import type { StepProps } from './step-props.ts';

interface LineProps extends Pick<StepProps, 'environment'> {
  readonly ask: Ask;
  /** The commit, where it is known. */
  readonly target?: string | null;
  readonly reason?: string;
}

export function Line({ ask, environment, ...said }: LineProps) {
  const line = lineOf(ask, { ...said, mayAsk: environment.may.request.allowed });
  return line === null ? null : <Command line={line} />;
}
