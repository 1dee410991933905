/** Addresses of the page and of the server for a scope. `-` stands for no tenant. */

export interface ScopeNames {
  readonly tenant?: string | null | undefined;
  readonly environment: string;
  readonly service?: string | null | undefined;
}

export type ScopePage = 'history' | 'rollback' | 'compare' | 'drift';

/** A service of such a name is told from the page by `/overview` behind it. */
const PAGES: ReadonlySet<string> = new Set(['history', 'rollback', 'compare', 'drift', 'overview']);

type Query = Readonly<Record<string, string | number | null | undefined>>;

/** `/e/acme/production/api/history?…` */
export function scopePath({ tenant, environment, service }: ScopeNames, page?: ScopePage, query: Query = {}) {
  const needsPage = page === undefined && service && PAGES.has(service);
  const parts = [tenant || '-', environment, service, page ?? (needsPage ? 'overview' : null)];
  return `/e/${parts.flatMap((part) => (part ? [encode(part)] : [])).join('/')}${queryOf(query)}`;
}

/** Below /api/v1. `what`: behind the environment. */
export function environmentCall({ tenant, environment }: ScopeNames, what = '', query: Query = {}): string {
  return `/environments/${encode(tenant || '-')}/${encode(environment)}${what}${queryOf(query)}`;
}

/** The same of a service, where the scope is one. */
export function scopeCall(scope: ScopeNames, what: string, query: Query = {}): string {
  const of = scope.service ? `/services/${encode(scope.service)}` : '';
  return environmentCall(scope, `${of}${what}`, query);
}

export const historyCall = (scope: ScopeNames, query: Query = {}): string =>
  scopeCall(scope, '/history', query);

/** `acme/production/api` */
export const scopeName = ({ tenant, environment, service }: ScopeNames): string =>
  [tenant === '-' ? null : tenant, environment, service].filter((part) => part).join('/');

/** The other way; `hasTenants`: names of scopes begin with one. */
export function scopeNamed(name: string, hasTenants: boolean): ScopeNames {
  const [first = '', second, third] = name.split('/');
  return hasTenants
    ? { tenant: first, environment: second ?? '', service: third ?? null }
    : { tenant: null, environment: first, service: second ?? null };
}

export function queryOf(query: Query): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === null || value === undefined || value === '' ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? '' : `?${given.join('&')}`;
}

const encode = encodeURIComponent;
