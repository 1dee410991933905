/** What a person may see of the answers to questions: what `policy.permissions` lets them read. */
import {
  BacktrailError,
  type Coordinates,
  type EnvironmentName,
  type Person,
  type Policy,
} from './model/index.ts';
import { hasPermission } from './policy/policy.ts';
import { type Layout, parseScope } from './layout/layout.ts';
import type { Environments } from './queries/queries.ts';
import { requirePermission } from './requests/gate/permissions.ts';

/** Of a question. */
export interface Reading {
  /** Whose permission to `read` is asked: refused for a scope that they may not read, and lists are without it. Absent: nobody's. */
  readonly reader?: Person | undefined;
}

/** What one person may read. */
export interface Readable {
  /** Whether it may be told of at all. */
  readonly has: (environment: EnvironmentName) => boolean;
  /** Of a name such as `acme/production/api`. */
  readonly hasScope: (scope: string) => boolean;
  /** Whether any environment is kept from them. */
  readonly isAll: boolean;
  /** @throws PERMISSION_DENIED, TOKEN_TOO_NARROW, SCOPE_INVALID */
  readonly require: (scope: string | Coordinates | undefined) => void;
}

export function readableBy(
  { policy, layout }: { readonly policy: Policy; readonly layout: Layout },
  { reader }: Reading,
): Readable {
  const has = (environment: EnvironmentName) =>
    reader === undefined || hasPermission(policy, reader, 'read', environment);
  return {
    has,
    hasScope: (scope) => has(namesOf(scope, layout.hasTenant)),
    // `**` alone matches what has no name.
    isAll: has({ environment: '' }),
    require(scope) {
      if (reader === undefined || scope === undefined) return;
      const { tenant, environment } = typeof scope === 'string' ? parseScope(layout, scope) : scope;
      requirePermission(policy, reader, 'read', { ...(tenant !== undefined && { tenant }), environment });
    },
  };
}

function namesOf(scope: string, hasTenant: boolean): EnvironmentName {
  const [first = '', second = ''] = scope.split('/');
  return hasTenant ? { tenant: first, environment: second } : { environment: first };
}

/** Files that cannot be read belong to nobody: they are told to whoever may read everything. */
export function readableEnvironments(readable: Readable, found: Environments): Environments {
  const environments = found.environments.filter((each) => readable.has(each));
  return { ...found, environments, findings: readable.isAll ? found.findings : [] };
}

/** @throws PERMISSION_DENIED where an environment is kept from them */
export function requireAll(readable: Readable, { environments }: Environments): void {
  for (const { tenant, environment } of environments)
    readable.require({ ...(tenant !== undefined && { tenant }), environment });
  if (!readable.isAll && environments.length === 0)
    throw new BacktrailError('PERMISSION_DENIED', 'You may not read everything here.');
}
