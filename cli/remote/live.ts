/** What a server says of clusters: it asks them where it runs. */
import type { Engine } from '../../engine/index.ts';
import type { Http } from './http.ts';
import { segment } from './http.ts';
import { environmentPath } from './place.ts';
import type { Locate } from './reading.ts';

type Live = Engine['live'];

// The server answers in the forms of its document, which its own tests hold it to.
/* oxlint-disable typescript/no-unsafe-type-assertion */

export function liveOver(http: Http, locate: Locate): Live {
  const pathOf = async (scope: string) => {
    const place = await locate(scope);
    return `${environmentPath(place)}${place.service === undefined ? '' : `/services/${segment(place.service)}`}`;
  };
  return {
    status: async ({ scope, signal }) =>
      (await http.get(`${await pathOf(scope)}/live`, {}, signal)) as Awaited<ReturnType<Live['status']>>,
    ofRollback: async ({ requestId, signal }) =>
      (await http.get(`/rollbacks/${segment(requestId)}/live`, {}, signal)) as Awaited<
        ReturnType<Live['ofRollback']>
      >,
    drift: async ({ scope, signal }) => {
      const found = await http.get(`${await pathOf(scope)}/drift`, {}, signal);
      // As on the repository, where clusters are asked anew.
      const { observedAt: _, ...drift } = found as Awaited<ReturnType<Live['drift']>>;
      return drift;
    },
  };
}
