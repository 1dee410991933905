/** Holds, and who broke them, as people read it. */
import {
  type Guarded,
  type HeldFieldView,
  type Holds,
  type HoldView,
  quotePath,
} from '../../engine/index.ts';
import { oneLine } from '../terminal/clean.ts';
import { printFindings } from './plan.ts';
import { cut, minute, short, type Style } from './style.ts';

const COLORS = { active: 'green', expired: 'dim', broken: 'red' } as const;

export function holdsText(style: Style, { holds, findings }: Holds): string {
  const blocks = holds.map((hold) => holdText(style, hold));
  return [
    ...printFindings(style, findings),
    ...(blocks.length > 0 ? [blocks.join('\n\n')] : ['Nothing is held.']),
  ].join('\n');
}

function holdText(style: Style, hold: HoldView): string {
  const { scope, state, requestId, author, since, until, reason, adapters, fields } = hold;
  const end = until === null ? 'until it is resumed' : `until ${minute(until)} UTC`;
  return [
    `${style.paint([COLORS[state], 'bold'], state)} hold of ${style.paint('bold', oneLine(scope))}  ${style.paint('dim', requestId)}`,
    `  ${style.paint('reset', `${oneLine(author)} at ${minute(since)} UTC, ${end}: ${cut(oneLine(reason), 100)}`)}`,
    ...(adapters.length > 0 ? [`  taken away: ${adapters.join(', ')}`] : []),
    ...fields.map((field) => `  ${fieldText(style, field)}`),
  ].join('\n');
}

function fieldText(style: Style, { path, selector, held, now, broken }: HeldFieldView): string {
  const name = nameOf({ path, selector });
  const is = broken
    ? style.paint('red', `${valueOf(held)}, now ${valueOf(now)}`)
    : style.paint('reset', valueOf(held));
  return `${style.paint('cyan', name)} ${is}`;
}

const nameOf = ({ path, selector }: { readonly path: string; readonly selector: string }) =>
  selector === '' ? quotePath(path) : `${quotePath(path)}#${oneLine(selector)}`;

const valueOf = (value: string | null) => (value === null ? 'nothing' : cut(oneLine(value), 80));

export function guardText(style: Style, { violations, findings }: Guarded): string {
  const lines = printFindings(style, findings);
  if (violations.length === 0) return [...lines, 'Nothing that is held was moved.'].join('\n');
  const blocks = violations.map(({ requestId, path, selector, held, now, commit, author }) =>
    [
      `${style.paint(['red', 'bold'], '✖')} ${style.paint('cyan', nameOf({ path, selector }))} is held at ${valueOf(held)}, and is ${valueOf(now)}`,
      `    by ${style.paint('reset', oneLine(`${author.name} <${author.email}>`))} in ${short(commit)}; held by ${requestId}`,
    ].join('\n'),
  );
  const commands = [...new Set(violations.map(({ restore }) => restore))];
  return [
    ...lines,
    ...blocks,
    '',
    'To restore it:',
    ...commands.map((command) => `  ${oneLine(command)}`),
  ].join('\n');
}
