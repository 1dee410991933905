/** Records of deployments, over HTTP. */
import type { Engine } from '../../engine/index.ts';
import { elsewhere, type Http, segment } from './http.ts';

// The server answers in the forms of its document, which its own tests hold it to.
/* oxlint-disable typescript/no-unsafe-type-assertion */

export function deploymentsOver(http: Http): Engine['deployments'] {
  return {
    events: () => Promise.reject(elsewhere('What observers said of deployments')),
    record: async ({ scope, status, commit, images, note, migration, id, source = 'pipeline' }) =>
      (await http.send('POST', '/deployments', {
        scope,
        source,
        status,
        commit,
        images,
        note,
        migration,
        id,
      })) as Deployment,
    list: async ({ scope, statuses, limit, after }) => {
      const found: Deployment[] = [];
      const findings = [];
      for (let cursor = after; ; ) {
        const query = {
          scope,
          status: statuses,
          limit: Math.min((limit ?? 1000) - found.length, 1000),
          cursor,
        };
        const page = (await http.get('/deployments', query)) as Partial<Page> & {
          readonly next: string | null;
        };
        found.push(...(page.deployments ?? []));
        findings.push(...(page.findings ?? []));
        if (page.next === null || found.length >= (limit ?? Number.POSITIVE_INFINITY))
          return { deployments: found, findings };
        cursor = page.next;
      }
    },
    show: async ({ id }) => (await http.get(`/deployments/${segment(id)}`)) as Deployment,
    restorable: async ({ id }) =>
      (await http.get(`/deployments/${segment(id)}/restore`)) as Awaited<
        ReturnType<Engine['deployments']['restorable']>
      >,
    exists: async ({ image }) => {
      const found = (await http.get('/deployments/exists', { image })) as Awaited<
        ReturnType<Engine['deployments']['exists']>
      >;
      return { ...found, findings: found.findings ?? [] };
    },
  };
}

type Deployment = Awaited<ReturnType<Engine['deployments']['show']>>;
type Page = Awaited<ReturnType<Engine['deployments']['list']>>;
