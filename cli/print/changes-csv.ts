/** The changes of an export as a table for spreadsheets: RFC 4180, a line a change. */
import type { AuditExport, ExportedChange } from '../../engine/index.ts';
import { clean, oneLine } from '../terminal/clean.ts';

const COLUMNS: readonly (readonly [head: string, value: (change: ExportedChange) => string])[] = [
  ['request', ({ requestId }) => requestId],
  ['within', ({ within }) => within],
  ['kind', ({ kind }) => kind],
  ['scope', ({ scope }) => scope],
  ['mode', ({ mode }) => mode ?? ''],
  ['fields', ({ fields }) => list(fields)],
  ['reason', ({ reason }) => reason],
  ['status', ({ status }) => status ?? ''],
  ['asked by', ({ asked }) => asked?.by.email ?? ''],
  ['asked at', ({ times }) => times.asked ?? ''],
  ['asked key', ({ asked }) => asked?.key ?? ''],
  ['asked identity', ({ asked }) => asked?.identity ?? ''],
  ['approvals needed', ({ policy }) => (policy === null ? '' : String(neededBy(policy.rules)))],
  ['approved by', (change) => list(approvalsOf(change).map(({ by }) => by.email))],
  ['approved keys', (change) => list(approvalsOf(change).map(({ key }) => key ?? ''))],
  ['approved at', ({ times }) => times.approved ?? ''],
  ['self-approved', (change) => (approvalsOf(change).some(({ isOwn }) => isOwn) ? 'yes' : 'no')],
  ['executed by', ({ executed }) => executed?.by.email ?? ''],
  ['published at', ({ times }) => times.published ?? ''],
  ['completed at', ({ times }) => times.completed ?? ''],
  ['break-glass', ({ breakGlass }) => breakGlass?.session ?? ''],
  ['ticket', ({ breakGlass }) => breakGlass?.ticket ?? ''],
  ['commit', ({ commit }) => commit ?? ''],
  ['base', ({ base }) => base ?? ''],
  ['target', ({ target }) => target ?? ''],
  ['delivery commit', ({ deliveryCommit }) => deliveryCommit ?? ''],
  ['files', ({ difference }) => String(difference.length)],
  ['verdict', ({ audit }) => audit?.verdict ?? ''],
  ['problems', ({ audit }) => list(audit?.problems.map(({ code }) => code) ?? [])],
];

export function changesCsv({ changes }: Pick<AuditExport, 'changes'>): string {
  const lines = [
    COLUMNS.map(([head]) => head),
    ...changes.map((change) => COLUMNS.map(([, value]) => value(change))),
  ];
  return csv(lines);
}

const list = (values: readonly string[]) => values.join(' | ');
const approvalsOf = ({ votes }: ExportedChange) =>
  votes.filter(({ counts, decision }) => counts && decision === 'approved');
const neededBy = (rules: readonly { readonly quorum: number }[]) =>
  Math.max(0, ...rules.map(({ quorum }) => quorum));

/** RFC 4180, each value in quotes; what a spreadsheet would take for a formula begins with an apostrophe. */
export const csv = (lines: readonly (readonly string[])[]) =>
  lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');

const cell = (value: string) => {
  const text = clean(oneLine(value));
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
};

/** Also behind blanks, and in the wide forms that some programs read as these. */
const FORMULA = /^\s*[=+\-@\t\r|\uff1d\uff0b\uff0d\uff20]/u;
