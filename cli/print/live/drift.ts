/** How clusters differ from what was delivered, as people read it. */
import type { Drift, DriftField, DriftObject, DriftState } from '../../../engine/index.ts';
import { oneLine } from '../../terminal/clean.ts';
import { cut, short, type Style } from '../style.ts';

const COLORS = {
  same: 'green',
  differs: 'red',
  missing: 'red',
  extra: 'red',
  unchecked: 'yellow',
} as const satisfies Record<DriftState, string>;

/** Objects that are named where nothing is wrong with them but that they could not be looked at. */
const MOST = 20;

export function driftText(style: Style, { scope, commit, objects }: Drift): string {
  const isDrift = ({ state }: DriftObject) => state === 'differs' || state === 'missing' || state === 'extra';
  const drifted = objects.filter(isDrift);
  const unchecked = objects.filter(({ state }) => state === 'unchecked');
  const same = objects.length - drifted.length - unchecked.length;
  const shown = style.full ? unchecked : unchecked.slice(0, MOST);
  return [
    `${style.paint('bold', scope)}  ${style.paint('yellow', short(commit))}  ${summary(style, { drifted, unchecked, same })}`,
    ...[...drifted, ...shown].flatMap((object) => ['', ...objectLines(style, object)]),
    ...(shown.length < unchecked.length
      ? [
          '',
          style.paint(
            'dim',
            `… ${unchecked.length - shown.length} more could not be checked; --full shows all`,
          ),
        ]
      : []),
  ].join('\n');
}

function summary(
  style: Style,
  {
    drifted,
    unchecked,
    same,
  }: Readonly<Record<'drifted' | 'unchecked', readonly DriftObject[]>> & { readonly same: number },
): string {
  if (drifted.length + unchecked.length + same === 0) return 'there are no manifests to compare';
  const counts = (['differs', 'missing', 'extra'] as const).flatMap((state) => {
    const count = drifted.filter((object) => object.state === state).length;
    return count === 0 ? [] : [style.paint(COLORS[state], `${count} ${state}`)];
  });
  return [
    ...counts,
    ...(unchecked.length > 0 ? [style.paint('yellow', `${unchecked.length} unchecked`)] : []),
    ...(same > 0 ? [style.paint('green', `${same} same`)] : []),
  ].join(', ');
}

function objectLines(
  style: Style,
  { cluster, kind, namespace, name, state, fields, message }: DriftObject,
): string[] {
  const object = `${kind} ${namespace === null ? '' : `${namespace}/`}${name}`;
  return [
    `${style.paint([COLORS[state], 'bold'], state)}  ${style.paint('bold', oneLine(object))}  ${style.paint('dim', `in ${oneLine(cluster)}`)}`,
    ...fields.map((field) => `  ${fieldText(style, field)}`),
    ...(message === undefined ? [] : [`  ${style.paint('dim', oneLine(message))}`]),
  ];
}

function fieldText(style: Style, field: DriftField): string {
  const is = 'live' in field ? valueText(field.live) : 'nothing';
  return `${style.paint('cyan', oneLine(field.path))} is ${style.paint('red', is)}, declared ${style.paint('green', valueText(field.desired))}`;
}

const valueText = (value: unknown) =>
  cut(oneLine(typeof value === 'string' && value !== '' ? value : JSON.stringify(value)), 120);
