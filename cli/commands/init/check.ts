/** `init --check`: whether the configuration still covers what comes to the tree. */
import { BacktrailError, type NewPath, quotePath } from '../../../engine/index.ts';
import type { Output } from '../../terminal/output.ts';
import type { Style } from '../../print/style.ts';
import type { Context } from '../command.ts';

/** Whether it proposes anything stands in the way of asking. */
interface Others {
  readonly [option: string]: unknown;
}

export function checkCoverage({ session, style }: Context, options: Others): Promise<Output> {
  if (Object.keys(options).length > 1)
    throw new BacktrailError('INVALID_REQUEST', '--check goes with no other option of init.');
  return session.withEngine(
    async (engine) => {
      const uncovered = await engine.uncovered();
      return {
        value: { uncovered },
        text: () => uncoveredText(style, uncovered),
        ...(uncovered.length > 0 && { exitCode: 3 }),
      };
    },
    { offline: true },
  );
}

function uncoveredText(style: Style, uncovered: readonly NewPath[]): string {
  if (uncovered.length === 0) return 'Nothing has come that the configuration does not cover.';
  const lines = uncovered.map(
    ({ path, kind, suggestion }) =>
      `${style.paint('yellow', `! ${kind}`)} ${style.paint('bold', quotePath(path))}\n    ${style.paint('dim', suggestion)}`,
  );
  return ['Not covered by the configuration, and new since it was last changed:', '', ...lines].join('\n');
}
