/** What a plan says of holds. */
import {
  type Finding,
  type HeldField,
  type Hold,
  type HoldBody,
  quotePath,
  type TakenPart,
} from '../model/index.ts';
import { fieldName } from './held.ts';

export function replacedFinding(older: readonly { readonly hold: Hold }[]): Finding[] {
  return older.map(({ hold }) => ({
    code: 'HOLD_REPLACED',
    severity: 'info',
    message: `The hold of ${hold.requestId}, by ${hold.author}, is replaced for what this rollback restores.`,
    path: hold.path,
  }));
}

export function placedFinding({ fields, seconds, taken }: HoldBody): Finding {
  const names = fields.slice(0, 3).map(fieldName).join(', ');
  const more = fields.length > 3 ? ` and ${fields.length - 3} more` : '';
  const until = seconds === null ? 'until it is resumed' : `for ${spanText(seconds)}`;
  const adapters = [...new Set(taken.map(({ adapter }) => adapter))];
  const places = taken.slice(0, 3).map(({ path, selector }) => fieldName({ path, selector }));
  const stopped =
    taken.length === 0
      ? ''
      : ` ${adapters.join(', ')} cannot move it: ${taken.length === 1 ? 'one part is' : `${taken.length} parts are`} taken away at ${places.join(', ')}${taken.length > 3 ? ', …' : ''}.`;
  return {
    code: 'HOLD_PLACED',
    severity: 'info',
    message: `Automation must not move ${names}${more} ${until}.${stopped}`,
    hint: '`backtrail resume` lifts it; with --no-hold nothing is held.',
  };
}

/** `7d`, `36h`, `90m` */
export function spanText(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const)
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  return `${seconds}s`;
}

export function unstopped(path: string, problem: string): Finding {
  return { code: 'HOLD_INCOMPLETE', severity: 'warn', message: `${quotePath(path)} ${problem}.`, path };
}

export function liftedFinding(
  hold: Hold,
  fields: readonly HeldField[],
  parts: readonly TakenPart[],
): Finding {
  const names = fields.slice(0, 3).map(fieldName).join(', ');
  const adapters = [...new Set(parts.map(({ adapter }) => adapter))];
  const given = adapters.length === 0 ? '' : ` What was taken away is given back: ${adapters.join(', ')}.`;
  const kept = hold.fields.length - fields.length;
  const rest = kept === 0 ? '' : ` ${kept} ${kept === 1 ? 'field stays' : 'fields stay'} held.`;
  return {
    code: 'HOLD_LIFTED',
    severity: 'info',
    message: `Automation may move ${names}${fields.length > 3 ? ` and ${fields.length - 3} more` : ''} again (${hold.requestId}).${given}${rest}`,
    path: hold.path,
  };
}
