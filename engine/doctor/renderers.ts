/** Do the services render as they stand on the branch, and with what? */
import {
  type BacktrailError,
  type Check,
  type Clock,
  formatCoordinates,
  type Programs,
  type Progress,
} from '../model/index.ts';
import { renderContext, treeRenderer } from '../render/index.ts';
import { count, some } from './tree/index.ts';
import { discover } from '../layout/discover.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { unitOf } from '../render/planned/render.ts';
import { settled } from './attempt.ts';

/** Services rendered: a program may take a second for each. */
const RENDERED = 100;
/** Milliseconds after which no other service is tried: whoever asks waits. */
const BUDGET = 60_000;

interface Tools {
  readonly programs: Programs;
  readonly clock: Clock;
  readonly onProgress: (progress: Progress | null) => void;
}

export async function checkRenderers(
  snapshot: Snapshot,
  { programs, clock, onProgress }: Tools,
): Promise<Check[]> {
  const { layout, base, hasher } = snapshot;
  const { delivery } = layout.config;
  if (delivery === null) return [];
  const view = await snapshot.view(base);
  const services = (await discover(view, layout)).filter(
    ({ service }) => service !== undefined || layout.service.length === 0,
  );
  const rendering = treeRenderer(view, renderContext({ hasher, programs, ...delivery }));
  const made = new Map<string, number>();
  const failures = new Map<string, { error: BacktrailError; services: string[] }>();
  const end = clock.now() + BUDGET;
  let tried = 0;
  const asked = services.slice(0, RENDERED);
  for (const coordinates of asked) {
    if (clock.now() > end) break;
    onProgress({
      phase: 'rendering',
      percent: Math.floor((tried / asked.length) * 100),
      objects: tried,
      amount: `${tried} of ${asked.length}`,
    });
    tried += 1;
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
  onProgress(null);
  // As long as one renders, the others block only themselves.
  const status = made.size === 0 ? 'fail' : 'warn';
  return [
    ...[...failures.values()].map((failures) => failure(failures, status)),
    ...summary(made, services.length - tried),
    ...(delivery.command === undefined ? [] : [confined(await programs.confinement())]),
  ];
}

function confined({ confined, how }: { readonly confined: boolean; readonly how: string }): Check {
  const found = { area: 'configuration', name: 'confinement', details: { confined } } as const;
  if (confined) return { ...found, status: 'ok', message: `Renderers are confined by ${how}.` };
  return {
    ...found,
    status: 'warn',
    message: `What renderers run may read what its user may, and use the network: ${how}.`,
    hint: 'Install bubblewrap where renderers run; BACKTRAIL_RENDER_SANDBOX=require then refuses to render without it.',
  };
}

interface Failures {
  readonly error: BacktrailError;
  readonly services: readonly string[];
}

function failure({ error, services }: Failures, status: 'fail' | 'warn'): Check {
  return {
    area: 'configuration',
    name: 'renderers',
    status,
    message: `${count(services.length, 'service')} cannot be rendered (${some(services)}), and a rollback that leaves it so publishes nothing: ${error.message}`,
    hint: error.hint,
    details: { code: error.code, services: services.slice(0, 50) },
  };
}

function summary(made: ReadonlyMap<string, number>, rest: number): Check[] {
  if (made.size === 0 && rest === 0) return [];
  const said = [...made].map(([label, number]) => `${label} (${number})`).sort();
  const sentences = [
    ...(said.length > 0 ? [`Services are rendered by ${said.join(', ')}.`] : []),
    ...(rest > 0 ? [`${count(rest, 'more service')} ${rest === 1 ? 'was' : 'were'} not tried.`] : []),
  ];
  return [
    {
      area: 'configuration',
      name: 'renderers',
      status: 'ok',
      message: sentences.join(' '),
      details: { renderers: Object.fromEntries(made) },
    },
  ];
}
