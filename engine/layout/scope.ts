/** Whether a scope that came from elsewhere is one that this layout could have given. */
import { BacktrailError, formatCoordinates, isSafePath, type Scope } from '../model/index.ts';
import { fieldSelection, isInScope } from './fields/field.ts';
import { type Layout, parseScope } from './layout.ts';
import { toBindings } from './pattern.ts';

/**
 * A request says by its scope which policy it is under, so its parts must be what that scope's name means, and its fields lie in
 * it. SCOPE_INVALID, FIELD_OUT_OF_SCOPE.
 */
export function requireScope(layout: Layout, scope: Scope): void {
  const { mode, tenant, environment, service, fields } = scope;
  const name = formatCoordinates(scope);
  const meant = parseScope(layout, name);
  const modes = { full: service === undefined, service: service !== undefined, field: true };
  const consistent =
    meant.tenant === tenant &&
    meant.environment === environment &&
    meant.service === service &&
    modes[mode] &&
    (mode === 'field') === (fields !== undefined && fields.length > 0);
  if (!consistent)
    throw new BacktrailError('SCOPE_INVALID', `${JSON.stringify(name)} is not a scope of mode ${mode} here.`);
  if (layout.isIgnored(toBindings(meant)))
    throw new BacktrailError('SCOPE_INVALID', `${JSON.stringify(name)} is none by the configuration.`);
  for (const field of fields ?? []) {
    const { path, selector } = fieldSelection(field);
    if (
      !isSafePath(path) ||
      selector.length === 0 ||
      !isInScope({ layout, coordinates: meant }, path, selector)
    )
      throw new BacktrailError('FIELD_OUT_OF_SCOPE', `${JSON.stringify(field)} lies outside ${name}.`);
  }
}
