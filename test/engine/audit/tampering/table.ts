/** Which kinds of tampering are tried on which rollbacks, and what becomes of them: the table of docs/audit.md. */
import { KINDS } from './kinds/kinds.ts';
import { STORIES } from './stories.ts';
import { GROUPS, type Group } from './tampering.ts';

const CASES = STORIES.flatMap(({ cases }) => cases);
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const TITLES: Readonly<Record<Group, string>> = {
  tree: 'The tree',
  message: 'The message',
  commit: 'The commit',
  delivery: 'The manifests',
  ledger: 'The ledger',
};
const HIDDEN = '○';
const LISTED = '◇';
const NONE = '·';

export const START = '<!-- Written by npm run docs:audit. -->';
export const END = '<!-- End of what npm run docs:audit writes. -->';

/** All that stands between the two marks. */
export function tamperingTable(): string {
  const cells = KINDS.map((kind) =>
    CASES.map((of, at) => {
      if (!kind.applies(of)) return NONE;
      const { in: where } = kind.expected(of);
      return where === 'hidden' ? HIDDEN : where === 'outside' ? LISTED : (LETTERS[at] ?? '?');
    }),
  );
  const count = (wanted: (cell: string) => boolean) => cells.flat().filter(wanted).length;
  const [hidden, listed] = [count((cell) => cell === HIDDEN), count((cell) => cell === LISTED)];
  const tried = count((cell) => cell !== NONE);
  const summary = `${KINDS.length} kinds on ${CASES.length} rollbacks, ${tried} in all: ${tried - hidden - listed} are found at the commit that was tampered with, by a problem that says what (a letter; two kinds, newer rules and another renderer, as \`unverifiable\`); ${listed} stand in \`outside\` (${LISTED}); ${hidden} nobody can see who has no ledger, or has not seen it before (${HIDDEN}). Of ${NONE} there is nothing to change.`;
  const legend = CASES.map(({ what }, at) => `| \`${LETTERS[at]}\` | ${what} |`);
  const tables = GROUPS.flatMap((group) => [
    '',
    `| ${TITLES[group]} | |`,
    '|---|---|',
    ...KINDS.flatMap((kind, at) =>
      kind.group === group ? [`| ${kind.name} | \`${cells[at]?.join('')}\` |`] : [],
    ),
  ]);
  return [START, '', summary, '', '| | the rollback |', '|---|---|', ...legend, ...tables, '', END].join(
    '\n',
  );
}
