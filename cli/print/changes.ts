import {
  type FieldChange,
  type FileDifference,
  quotePath,
  type ServiceDifference,
} from '../../engine/index.ts';
import type { Style } from './style.ts';

/** Differences by service, field by field where the file has fields. */
export function printChanges(style: Style, changes: readonly ServiceDifference[]): string[] {
  return changes.flatMap(({ service, files }) => [
    style.paint('bold', service ?? 'environment'),
    ...files.flatMap((file) => printFile(style, file)).map((line) => `  ${line}`),
  ]);
}

export function printFile(style: Style, { path, change, fields = [], diff }: FileDifference): string[] {
  const mark = { added: '+', removed: '-', modified: '~' }[change];
  return [
    `${style.paint(COLOR[mark] ?? 'yellow', mark)} ${style.paint('cyan', quotePath(path))}${change === 'modified' ? '' : ` (${change})`}`,
    ...fields.flatMap((field) => printField(style, field)).map((line) => `    ${line}`),
    ...(diff === undefined ? [] : printDiff(style, diff).map((line) => `    ${line}`)),
  ];
}

const COLOR: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  '+': 'green',
  '-': 'red',
  '~': 'yellow',
};

function printField(style: Style, { selector, before, after }: FieldChange): string[] {
  const sides = [before, after].filter((side) => side !== undefined);
  if (sides.every((side) => !side.includes('\n'))) {
    const old = before === undefined ? '' : style.paint('red', before);
    const now = after === undefined ? '' : style.paint('green', after);
    const arrow = before === undefined ? '+ ' : after === undefined ? '- ' : `${old} → `;
    return [`${style.paint('dim', selector)}  ${arrow}${after === undefined ? old : now}`];
  }
  const lines = (sign: string, color: 'red' | 'green', text: string | undefined) =>
    text === undefined ? [] : text.split('\n').map((line) => style.paint(color, `  ${sign} ${line}`));
  return [style.paint('dim', selector), ...lines('-', 'red', before), ...lines('+', 'green', after)];
}

export function printDiff(style: Style, diff: string): string[] {
  return diff
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      if (line.startsWith('+')) return style.paint('green', line);
      if (line.startsWith('-')) return style.paint('red', line);
      return style.paint(line.startsWith('@@') ? 'cyan' : 'reset', line);
    });
}
