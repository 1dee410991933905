import {
  shortenDiff,
  type FieldChange,
  type FileDifference,
  quotePath,
  type ServiceDifference,
} from '../../engine/index.ts';
import { shortenDigests, type Style } from './style.ts';

/** Differences by service, field by field where the file has fields. */
export function printChanges(style: Style, changes: readonly ServiceDifference[]): string[] {
  return changes.flatMap(({ service, files }) => [
    style.paint('bold', service ?? 'environment'),
    ...files.flatMap((file) => printFile(style, file)).map((line) => `  ${line}`),
  ]);
}

/** Lines of an added or removed file that are worth showing without `--full`. */
const FOLDED_ABOVE = 3;

export function printFile(style: Style, file: FileDifference): string[] {
  const { path, change, fields = [], diff } = file;
  const mark = { added: '+', removed: '-', modified: '~' }[change];
  const name = `${style.paint(COLOR[mark] ?? 'yellow', mark)} ${style.paint('cyan', quotePath(path))}`;
  const size = sizeOf(file);
  const how = change === 'modified' ? '' : `${change}, `;
  if (style.stat) return [`${name} (${how}${size.text})`];
  if (change !== 'modified' && !style.full && size.lines > FOLDED_ABOVE)
    return [`${name} (${how}${size.text}; --full shows them)`];
  return [
    `${name}${change === 'modified' ? '' : ` (${change})`}`,
    ...fields.flatMap((field) => printField(style, field)).map((line) => `    ${line}`),
    ...(diff === undefined ? [] : printDiff(style, diff).map((line) => `    ${line}`)),
  ];
}

function sizeOf({ fields = [], diff = '' }: FileDifference): { lines: number; text: string } {
  if (fields.length > 0) return { lines: fields.length, text: count(fields.length, 'field') };
  const first = diff.search(/^@@/m);
  const hunks = diff.slice(Math.max(0, first)).split('\n');
  const lines = hunks.filter((line) => /^[+-]/.test(line)).length;
  return { lines, text: lines === 0 ? (diff.trim().split('\n').at(-1) ?? '') : count(lines, 'line') };
}

export const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

const COLOR: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  '+': 'green',
  '-': 'red',
  '~': 'yellow',
};

function printField(style: Style, { selector, diff, ...sides }: FieldChange): string[] {
  if (diff !== undefined)
    return [style.paint('dim', selector), ...printDiff(style, diff).map((line) => `  ${line}`)];
  const [shownBefore = '', shownAfter = ''] = shortenDigests(style, [sides.before ?? '', sides.after ?? '']);
  const before = sides.before === undefined ? undefined : shownBefore;
  const after = sides.after === undefined ? undefined : shownAfter;
  if (![shownBefore, shownAfter].some((side) => side.includes('\n'))) {
    const old = before === undefined ? '' : style.paint('red', before);
    const now = after === undefined ? '' : style.paint('green', after);
    const arrow = before === undefined ? '+ ' : after === undefined ? '- ' : `${old} → `;
    return [`${style.paint('dim', selector)}  ${arrow}${after === undefined ? old : now}`];
  }
  const lines = (sign: string, color: 'red' | 'green', text: string | undefined) =>
    text === undefined ? [] : text.split('\n').map((line) => style.paint(color, `  ${sign} ${line}`));
  return [style.paint('dim', selector), ...lines('-', 'red', before), ...lines('+', 'green', after)];
}

function printDiff(style: Style, diff: string): string[] {
  const shown = style.full ? diff : shortenDiff(diff, '--full shows all');
  return (shortenDigests(style, [shown])[0] ?? shown)
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      if (line.startsWith('+')) return style.paint('green', line);
      if (line.startsWith('-')) return style.paint('red', line);
      return style.paint(line.startsWith('@@') ? 'cyan' : 'reset', line);
    });
}
