/** What is held, and whether it still is. */
import {
  type Coordinates,
  type Finding,
  formatCoordinates,
  type Hold,
  type TreeView,
} from '../model/index.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { readAllHolds } from './read.ts';
import { stateReader } from './state.ts';

export interface HoldView {
  readonly path: string;
  readonly requestId: string;
  /** `acme/production/api-gateway` */
  readonly scope: string;
  readonly fields: readonly HeldFieldView[];
  readonly since: string;
  /** null: until it is resumed. */
  readonly until: string | null;
  readonly reason: string;
  readonly author: string;
  /** `expired`: its time is over, whatever became of the fields; what was taken away stays away until it is resumed. */
  readonly state: 'active' | 'expired' | 'broken';
  /** Those that took something away. */
  readonly adapters: readonly string[];
}

export interface HeldFieldView {
  readonly path: string;
  /** '' for the whole file. */
  readonly selector: string;
  readonly held: string | null;
  readonly now: string | null;
  readonly broken: boolean;
}

export interface Holds {
  readonly holds: readonly HoldView[];
  /** Files that are no holds. */
  readonly findings: readonly Finding[];
  /** There may be others, in environments that whoever asks may not read. */
  readonly partial?: true;
}

/** Newest first. `within`: those of a scope, and of its services. `now`: milliseconds since 1970. */
export async function listHolds(snapshot: Snapshot, within: Coordinates | null, now: number): Promise<Holds> {
  const { layout, reader, base } = snapshot;
  const view = await snapshot.view(base);
  const viewAt = (commit: string): Promise<TreeView | null> => snapshot.view(commit).catch(() => null);
  const { holds, findings } = await readAllHolds({ view, layout, reader });
  const stateOf = stateReader({ view, viewAt, unmasked: layout.unmasked });
  const views: HoldView[] = [];
  for (const { hold } of holds.filter((one) => within === null || concerns(one.hold, within))) {
    const fields: HeldFieldView[] = [];
    for (const field of hold.fields) {
      const { path, selector, held } = field;
      fields.push({ path, selector, held, ...(await stateOf(hold, field)) });
    }
    const { path, requestId, since, until, reason, author, taken } = hold;
    const broken = fields.some((field) => field.broken);
    views.push({
      path,
      requestId,
      scope: formatCoordinates(hold),
      fields,
      since,
      until,
      reason,
      author,
      state: isOver(hold, now) ? 'expired' : broken ? 'broken' : 'active',
      adapters: [...new Set(taken.map(({ adapter }) => adapter))],
    });
  }
  return { holds: views.sort((a, b) => (a.since < b.since ? 1 : -1)), findings };
}

export const isOver = ({ until }: Pick<Hold, 'until'>, now: number) =>
  until !== null && Date.parse(until) <= now;

/** A hold of the environment concerns each of its services; one of a service concerns the environment. */
function concerns(hold: Hold, { tenant, environment, service }: Coordinates): boolean {
  if (hold.tenant !== tenant || hold.environment !== environment) return false;
  return service === undefined || hold.service === undefined || hold.service === service;
}
