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
import type { CheckContext } from '../check-context.ts';

/** WHOLE_FILE: whose parts change with a file that is restored as a whole. A part of another environment blocks (EDIT_REFUSED). */
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

/** `changed`: the fields that change; null if the file has no fields. */
function checkFile(context: CheckContext, others: OtherParts, changed: readonly Selector[] | null): Finding {
  const { path } = others;
  const { scope } = context.query;
  if (others.isUncertain || others.foreign.length > 0) return foreignPartFinding(scope, others);
  const isRemoved = context.files.some((file) => file.path === path && file.after === null);
  const done = `${quotePath(path)} is ${isRemoved ? 'removed' : 'restored'} as a whole file`;
  const gone = others.removed.length === 0 ? '' : `; this removes ${list(services(others.removed))}`;
  if (changed === null) {
    const message = `${done}: its other changes cannot be listed by field; see the diff${gone}.`;
    return { code: 'WHOLE_FILE', severity: 'warn', message, path };
  }
  const fields = changed.flatMap((selector) => otherFieldName(context, { path, selector }));
  const names = [...services(others.changed), ...new Set(fields)];
  if (names.length === 0 && gone === '')
    return { code: 'WHOLE_FILE', severity: 'info', message: `${done}; no other field of it changes.`, path };
  const also = names.length === 0 ? '' : `, which also changes ${list(names)}`;
  return { code: 'WHOLE_FILE', severity: 'warn', message: `${done}${also}${gone}.`, path };
}

const services = (names: readonly string[]) => names.map((name) => `service ${name}`);

function foreignPartFinding(scope: Coordinates, { path, foreign }: OtherParts): Finding {
  const { service: _, ...own } = scope;
  const names = foreign.flatMap(({ environment, ...owner }) =>
    environment === undefined ? [] : formatCoordinates({ ...owner, environment }),
  );
  // A service implies its environment.
  const outsiders = [...new Set(names)].filter(
    (name) => !names.some((other) => other.startsWith(`${name}/`)),
  );
  const whose = outsiders.length > 0 ? list(outsiders) : 'parts of other environments';
  return {
    code: 'EDIT_REFUSED',
    severity: 'block',
    message: `${quotePath(path)} cannot be restored as a whole file: it would also change ${whose}, outside ${formatCoordinates(own)}.`,
    hint: 'Restore single fields without --whole-file, or change the file by hand.',
    path,
  };
}

/** A field that changes although it was not selected, and that no other service owns. */
function otherFieldName(
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
  const listed = names.slice(0, 8);
  return names.length > 8 ? `${listed.join(', ')} and ${names.length - 8} more` : listed.join(', ');
}
