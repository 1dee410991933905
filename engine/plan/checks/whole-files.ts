import {
  type Coordinates,
  type Finding,
  formatCoordinates,
  type ServiceDifference,
} from '../../model/index.ts';
import { formatSelector, parseSelector, type Selector } from '../../yaml/selector.ts';
import { fieldSelection } from '../field.ts';
import { type Layout, matchSelector } from '../layout.ts';
import { type Bindings, bindPath } from '../pattern.ts';
import type { CheckContext } from '../plan.ts';

/** A file restored as a whole changes for whoever else has a part of it: say for whom; another environment's part blocks. */
export function checkWholeFiles(
  context: CheckContext,
  paths: readonly string[],
  changes: readonly ServiceDifference[],
): Finding[] {
  return paths.map((path) => {
    const differences = changes.flatMap(({ files }) => files).filter((file) => file.path === path);
    const isKnown = differences.every(({ fields }) => fields !== undefined);
    const selectors = differences.flatMap(({ fields = [] }) => fields.map(({ selector }) => selector));
    return checkFile(context, path, isKnown ? selectors.map(parseSelector) : null);
  });
}

/** `changed` are the fields that change; null where the file cannot be read by fields. */
function checkFile(context: CheckContext, path: string, changed: readonly Selector[] | null): Finding {
  const { query, files } = context;
  const { snapshot, scope } = query;
  const parts = (changed ?? [[]]).map((selector) => ownerOf(snapshot.layout, path, selector));
  const foreign = parts.filter((owner) => isForeign(scope, owner));
  if (foreign.length > 0) return outside(path, scope, foreign);
  const isRemoved = files.some((file) => file.path === path && file.after === null);
  const done = `${path} is ${isRemoved ? 'removed' : 'restored'} as a whole file`;
  if (changed === null) {
    const message = `${done}: what else changes in it cannot be told by fields; look at the difference.`;
    return { code: 'WHOLE_FILE', severity: 'warn', message, path };
  }
  const others = changed.flatMap((selector, index) => nameOther(context, { path, selector }, parts[index]));
  if (others.length === 0)
    return { code: 'WHOLE_FILE', severity: 'info', message: `${done}; no other field of it changes.`, path };
  const message = `${done}, and with it change ${list([...new Set(others)].sort(servicesFirst))}.`;
  return { code: 'WHOLE_FILE', severity: 'warn', message, path };
}

type Owner = Bindings | 'uncertain' | null;

/** Whose a field is, as far as the layout says; uncertain where parts of several environments may stand in it. */
function ownerOf(layout: Layout, path: string, selector: Selector): Owner {
  let owner: Owner = null;
  for (const pattern of [...layout.service, ...layout.environment]) {
    const bindings = bindPath(pattern, {}).match(path);
    const template = pattern.selector ?? [];
    const known = selector.slice(0, template.length);
    const place = known.findIndex((step, index) => 'index' in step && 'match' in (template[index] ?? {}));
    const steps = place < 0 ? known : known.slice(0, place);
    const found = bindings && matchSelector(template.slice(0, steps.length), steps, bindings);
    if (found === null) continue;
    if (found.environment !== undefined && (!layout.hasTenant || found.tenant !== undefined)) return found;
    owner = 'uncertain';
  }
  return owner;
}

function isForeign({ tenant, environment }: Coordinates, owner: Owner): boolean {
  if (owner === null || owner === 'uncertain') return owner === 'uncertain';
  const differs = (name: string | undefined, own: string | undefined) => name !== undefined && name !== own;
  return differs(owner.tenant, tenant) || differs(owner.environment, environment);
}

function outside(path: string, scope: Coordinates, owners: readonly Owner[]): Finding {
  const { service: _, ...own } = scope;
  const places = owners.flatMap((owner) => {
    if (owner === null || owner === 'uncertain' || owner.environment === undefined) return [];
    return formatCoordinates({ ...owner, environment: owner.environment });
  });
  const whose = places.length > 0 ? list([...new Set(places)]) : 'parts of other environments';
  return {
    code: 'EDIT_REFUSED',
    severity: 'block',
    message: `${path} cannot be restored as a whole file: it would change ${whose} too, outside ${formatCoordinates(own)}.`,
    hint: 'Restore single fields without --whole-file, or change the file by hand.',
    path,
  };
}

/** How a change beside what was asked for is named: by its service, or by its selector. */
function nameOther(
  { query: { scope, selections } }: CheckContext,
  { path, selector }: { path: string; selector: Selector },
  owner: Owner | undefined,
): string[] {
  const service = typeof owner === 'object' ? owner?.service : undefined;
  const own = scope.mode === 'field' ? (scope.fields ?? []).map(fieldSelection) : selections;
  const isOwn = own.some((selection) => {
    const bindings = selection.paths.match(path);
    return (
      bindings !== null &&
      (selection.selector === null || matchSelector(selection.selector, selector, bindings) !== null)
    );
  });
  if (isOwn) return [];
  if (service !== undefined && service !== scope.service) return [`service ${service}`];
  return [`the field ${path}#${formatSelector(selector)}`];
}

const servicesFirst = (a: string, b: string) =>
  Number(b.startsWith('service ')) - Number(a.startsWith('service '));

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8);
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ');
}
