/** Who is told, as the server's configuration has it, and of what. */
import { type EnvironmentName, matchesEnvironment } from '../../engine/index.ts';
import { type EventType, fits } from './event-types.ts';

export const FORMATS = ['standard', 'slack'] as const;

export interface Sink {
  /** Its cursor, and the ids of its messages, go by it. */
  readonly name: string;
  /** May hold what is secret: in no log, and in no message. */
  readonly url: string;
  /** `whsec_…`; the first is the newest. [] where nothing is signed. */
  readonly secrets: readonly string[];
  readonly format: (typeof FORMATS)[number];
  /** As the places of `policy.permissions`: `acme/*`, `prod`, `**`. */
  readonly environments: readonly string[];
  /** `rollback.failed`, `rollback.*`, `*`. */
  readonly events: readonly string[];
  /** Where people find requests: messages link to `<console>/requests/<id>`. */
  readonly console: string | null;
  /** It may have an address of a private network, or of this machine. */
  readonly allowPrivate: boolean;
  /** Milliseconds since 1970: nothing is told that happened before; null: see `cursors.ts`. */
  readonly from: number | null;
}

export const wants = (
  { environments, events }: Pick<Sink, 'environments' | 'events'>,
  { type, environment }: { readonly type: EventType; readonly environment: EnvironmentName },
): boolean =>
  events.some((pattern) => fits(pattern, type)) &&
  environments.some((pattern) => matchesEnvironment(pattern, environment));
