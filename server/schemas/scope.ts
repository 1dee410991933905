/** Scopes of lists and bodies: as the command line takes them, or name by name. */
import { z } from 'zod';
import { BacktrailError } from '../../engine/index.ts';
import { environmentName, serviceName } from './names.ts';

/** Spread into a query: all of it may be left out. */
export const scopeQuery = {
  scope: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe('`[tenant/]environment[/service]`, in place of the names one by one.'),
  tenant: z.string().min(1).max(255).optional().describe('Absent or `-`: no tenant.'),
  environment: environmentName.optional(),
  service: serviceName.optional(),
};

/** The same of a body, where null is as good as absent. */
export const scopeNames = {
  scope: scopeQuery.scope.nullable(),
  tenant: scopeQuery.tenant.nullable(),
  environment: scopeQuery.environment.nullable(),
  service: scopeQuery.service.nullable(),
};

type ScopeNames = z.output<z.ZodObject<typeof scopeNames>>;

/** `acme/production/api`; undefined where nothing is named. @throws INVALID_REQUEST where it is named in two ways, or without its environment */
export function namedScope({ scope, tenant, environment, service }: ScopeNames): string | undefined {
  const names = [tenant === '-' ? null : tenant, environment, service].filter((name) => name);
  if (typeof scope === 'string') {
    if (names.length === 0) return scope;
    throw new BacktrailError('INVALID_REQUEST', 'A scope is named by `scope` or name by name, not by both.');
  }
  if (!environment && names.length > 0)
    throw new BacktrailError('INVALID_REQUEST', 'A tenant or a service is named with its environment.');
  return names.length === 0 ? undefined : names.join('/');
}

/** The same where it has to be named. @throws SCOPE_INVALID */
export function requireNamedScope(names: ScopeNames): string {
  const scope = namedScope(names);
  if (scope === undefined) throw new BacktrailError('SCOPE_INVALID', 'No scope is named.');
  return scope;
}
