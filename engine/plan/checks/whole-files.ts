import {
  type Coordinates,
  type Finding,
  formatCoordinates,
  quotePath,
  type ServiceDifference,
} from '../../model/index.ts';
import { formatSelector, parseSelector, type Selector } from '../../yaml/core/selector.ts';
import { fieldSelection } from '../../layout/fields/field.ts';
import { matchSelector, serviceOfField } from '../../layout/layout.ts';
import type { OtherParts } from '../other-parts.ts';
import type { CheckContext } from '../context.ts';

/** A file restored as a whole changes for whoever else has a part of it: say for whom; another environment's part blocks. */
export function checkWholeFiles(
  context: CheckContext,
  wholeFiles: readonly OtherParts[],
  changes: readonly ServiceDifference[],
): Finding[] {
  return wholeFiles.map((others) => {
    const differences = changes.flatMap(({ files }) => files).filter(({ path }) => path === others.path);
    const isKnown = differences.every(({ fields }) => fields !== undefined);
    const selectors = differences.flatMap(({ fields = [] }) => fields.map(({ selector }) => selector));
    return checkFile(context, others, isKnown ? selectors.map(parseSelector) : null);
  });
}

/** `changed` are the fields that change; null where the file cannot be read by fields. */
function checkFile(context: CheckContext, others: OtherParts, changed: readonly Selector[] | null): Finding {
  const { path } = others;
  const { scope } = context.query;
  if (others.isUncertain || others.foreign.length > 0) return outside(scope, others);
  const isRemoved = context.files.some((file) => file.path === path && file.after === null);
  const done = `${quotePath(path)} is ${isRemoved ? 'removed' : 'restored'} as a whole file`;
  const gone = others.removed.length === 0 ? '' : `; with it go ${list(services(others.removed))}`;
  if (changed === null) {
    const message = `${done}: what else changes in it cannot be told by fields; look at the difference${gone}.`;
    return { code: 'WHOLE_FILE', severity: 'warn', message, path };
  }
  const fields = changed.flatMap((selector) => nameOther(context, { path, selector }));
  const names = [...services(others.changed), ...new Set(fields)];
  if (names.length === 0 && gone === '')
    return { code: 'WHOLE_FILE', severity: 'info', message: `${done}; no other field of it changes.`, path };
  const also = names.length === 0 ? '' : `, and with it change ${list(names)}`;
  return { code: 'WHOLE_FILE', severity: 'warn', message: `${done}${also}${gone}.`, path };
}

const services = (names: readonly string[]) => names.map((name) => `service ${name}`);

function outside(scope: Coordinates, { path, foreign }: OtherParts): Finding {
  const { service: _, ...own } = scope;
  const names = foreign.flatMap(({ environment, ...owner }) =>
    environment === undefined ? [] : formatCoordinates({ ...owner, environment }),
  );
  // Where a service is named, its environment need not be.
  const places = [...new Set(names)].filter((name) => !names.some((other) => other.startsWith(`${name}/`)));
  const whose = places.length > 0 ? list(places) : 'parts of other environments';
  return {
    code: 'EDIT_REFUSED',
    severity: 'block',
    message: `${quotePath(path)} cannot be restored as a whole file: it would change ${whose} too, outside ${formatCoordinates(own)}.`,
    hint: 'Restore single fields without --whole-file, or change the file by hand.',
    path,
  };
}

/** A change beside what was asked for, where no other service has it. */
function nameOther(
  { query: { snapshot, scope, selections } }: CheckContext,
  { path, selector }: { path: string; selector: Selector },
): string[] {
  const own = scope.mode === 'field' ? (scope.fields ?? []).map(fieldSelection) : selections;
  const isOwn = own.some((selection) => {
    const bindings = selection.paths.match(path);
    return (
      bindings !== null &&
      (selection.selector === null || matchSelector(selection.selector, selector, bindings) !== null)
    );
  });
  if (isOwn) return [];
  const { service: _, ...environment } = scope;
  const owner = serviceOfField(snapshot.layout, environment, { path, selector });
  if (owner !== null && owner !== scope.service) return [];
  return [`the field ${quotePath(path)}#${formatSelector(selector)}`];
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8);
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ');
}
