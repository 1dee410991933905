/** Validates scopes that come from outside, such as a request. */
import { BacktrailError, formatCoordinates, isSafePath, type Scope } from '../model/index.ts';
import { fieldSelection, isInScope } from './fields/field.ts';
import { type Layout, parseScope } from './layout.ts';
import { toBindings } from './pattern.ts';

/**
 * The scope of a request determines which policy applies: its parts must be what its name means under this layout, and its fields must
 * be inside it.
 * @throws SCOPE_INVALID, FIELD_OUT_OF_SCOPE
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
    throw new BacktrailError(
      'SCOPE_INVALID',
      `${JSON.stringify(name)} is not a valid scope for mode ${mode}.`,
    );
  if (layout.isIgnored(toBindings(meant)))
    throw new BacktrailError('SCOPE_INVALID', `${JSON.stringify(name)} is excluded by the configuration.`);
  for (const field of fields ?? []) {
    const { path, selector } = fieldSelection(field);
    if (
      !isSafePath(path) ||
      selector.length === 0 ||
      !isInScope({ layout, coordinates: meant }, path, selector)
    )
      throw new BacktrailError('FIELD_OUT_OF_SCOPE', `${JSON.stringify(field)} is outside ${name}.`);
  }
}
