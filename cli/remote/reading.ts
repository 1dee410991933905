/** The engine's questions, asked over HTTP: answers are its own JSON, with scopes as values again. */
import type {
  Comparison,
  Coordinates,
  Engine,
  Environments,
  History,
  Permit,
  Scope,
  Shown,
} from '../../engine/index.ts';
import type { Http } from './http.ts';
import { segment } from './http.ts';
import { coordinatesOf, environmentPath } from './place.ts';

export type Reading = Pick<Engine, 'survey' | 'environments' | 'history' | 'show' | 'compare' | 'asking'>;

/** Of a scope as it was written. */
export type Locate = (scope: string | Coordinates) => Promise<Coordinates>;

/** What one page of revisions may hold. */
const PAGE = 1000;

export function createLocate(http: Http): Locate {
  let asked: Promise<Environments> | null = null;
  return async (scope) => {
    if (typeof scope !== 'string') return scope;
    asked ??= survey(http);
    return coordinatesOf(scope, (await asked).tenants);
  };
}

// The server answers in the forms of its document, which its own tests hold it to.
/* oxlint-disable typescript/no-unsafe-type-assertion */

async function survey(http: Http): Promise<Environments> {
  const found = (await http.get('/environments')) as Partial<Environments>;
  return { environments: [], tenants: false, findings: [], ...found };
}

export function readingOver(http: Http, locate: Locate): Reading {
  return {
    survey: () => survey(http),
    environments: async () => (await survey(http)).environments,
    history: async ({ scope, fields = [], limit, before }) => {
      const place = await locate(scope);
      const part = place.service === undefined ? '' : `/services/${segment(place.service)}`;
      let cursor = before === undefined ? undefined : `v${before}`;
      const revisions: History['revisions'][number][] = [];
      for (;;) {
        const query = { field: fields, limit: Math.min(limit - revisions.length, PAGE), cursor };
        const found = (await http.get(`${environmentPath(place)}${part}/history`, query)) as Answered;
        revisions.push(...found.revisions);
        const { total, next, findings = [] } = found;
        if (next === null || revisions.length >= limit)
          return { scope: scopeOf(place, found.fields), total, revisions, findings };
        cursor = next;
      }
    },
    show: async ({ scope, revision, fields = [] }) => {
      const place = await locate(scope);
      const path = `${environmentPath(place)}/revisions/${segment(revision)}`;
      const found = (await http.get(path, { service: place.service, field: fields })) as AnsweredShown;
      const { commit, version, files } = found;
      return { scope: scopeOf(place, fields), revision: { commit, version }, files };
    },
    asking: async ({ scope }) => {
      const { may, askers } = (await http.get(environmentPath(await locate(scope)))) as {
        readonly may: { readonly request: Permit };
        readonly askers: readonly string[];
      };
      return { request: may.request, askers };
    },
    compare: async ({ scope, from, to, fields = [] }) => {
      const place = await locate(scope);
      const query = { service: place.service, field: fields, from, to };
      const found = (await http.get(`${environmentPath(place)}/compare`, query)) as AnsweredComparison;
      return {
        scope: scopeOf(place, fields),
        from: { commit: found.from, version: found.fromVersion },
        to: { commit: found.to, version: found.toVersion },
        changes: found.changes,
      };
    },
  };
}

type Answered = Omit<History, 'scope' | 'findings'> &
  Partial<Pick<History, 'findings'>> & { readonly fields?: readonly string[]; readonly next: string | null };
type AnsweredShown = Shown['revision'] & Pick<Shown, 'files'>;
interface AnsweredComparison extends Pick<Comparison, 'changes'> {
  readonly from: string;
  readonly fromVersion: number | null;
  readonly to: string;
  readonly toVersion: number | null;
}

function scopeOf(place: Coordinates, fields: readonly string[] = []): Scope {
  if (fields.length > 0) return { mode: 'field', ...place, fields };
  return place.service === undefined
    ? { mode: 'full', ...place }
    : { mode: 'service', ...place, service: place.service };
}
