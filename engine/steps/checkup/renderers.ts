/** Do the services render as they stand on the branch, and with what? */
import { type BacktrailError, type Check, formatCoordinates, type Programs } from '../../model/index.ts';
import { renderContext, renderingOf } from '../../deliver/index.ts';
import { count, some } from '../../plan/checkup/index.ts';
import { discover } from '../../plan/discover.ts';
import type { Snapshot } from '../../plan/snapshot.ts';
import { unitOf } from '../render.ts';
import { settled } from './attempt.ts';

/** Services rendered: a program may take a second for each. */
const RENDERED = 100;

export async function checkRenderers(snapshot: Snapshot, programs: Programs): Promise<Check[]> {
  const { layout, base, hasher } = snapshot;
  const { delivery } = layout.config;
  if (delivery === null) return [];
  const view = await snapshot.view(base);
  const services = (await discover(view, layout)).filter(({ service }) => service !== undefined);
  const rendering = renderingOf(view, renderContext({ hasher, programs, ...delivery }));
  const made = new Map<string, number>();
  const failures = new Map<string, { error: BacktrailError; services: string[] }>();
  for (const coordinates of services.slice(0, RENDERED)) {
    const result = await settled(unitOf(view, layout, coordinates).then((unit) => unit && rendering(unit)));
    if ('error' in result) {
      const { error } = result;
      // One sentence names the file of each service; what to do is the same.
      const known = failures.get(error.hint) ?? { error, services: [] };
      failures.set(error.hint, known);
      known.services.push(formatCoordinates(coordinates));
    } else {
      const label = result.value?.rendered?.label ?? 'nothing to deliver';
      made.set(label, (made.get(label) ?? 0) + 1);
    }
  }
  return [...[...failures.values()].map(failure), ...summary(made, services.length - RENDERED)];
}

function failure({ error, services }: { error: BacktrailError; services: readonly string[] }): Check {
  return {
    area: 'configuration',
    name: 'renderers',
    // The other services can be rolled back all the same.
    status: 'warn',
    message: `${count(services.length, 'service')} cannot be rendered (${some(services)}), and a rollback that leaves it so publishes nothing: ${error.message}`,
    hint: error.hint,
    details: { code: error.code, services: services.slice(0, 50) },
  };
}

function summary(made: ReadonlyMap<string, number>, rest: number): Check[] {
  if (made.size === 0) return [];
  const said = [...made].map(([label, number]) => `${label} (${number})`).sort();
  const more = rest > 0 ? ` ${count(rest, 'more service')} were not tried.` : '';
  return [
    {
      area: 'configuration',
      name: 'renderers',
      status: 'ok',
      message: `Services are rendered by ${said.join(', ')}.${more}`,
      details: { renderers: Object.fromEntries(made) },
    },
  ];
}
