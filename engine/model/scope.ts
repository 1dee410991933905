/** Where a service lives: written `tenant/environment/service`, without tenant where the layout has none. */
export interface Coordinates {
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
}

export type Mode = 'full' | 'service' | 'field';

export const MODES: readonly Mode[] = ['full', 'service', 'field'];

/** What a rollback may touch. `fields` are canonical `path#selector`, sorted; only in field mode. */
export interface Scope extends Coordinates {
  readonly mode: Mode;
  readonly fields?: readonly string[];
  /** A file that holds a selected part which differs is restored as a whole path, in place of the part. */
  readonly wholeFile?: true;
}

export function formatCoordinates({ tenant, environment, service }: Coordinates): string {
  return [tenant, environment, service].filter((part) => part !== undefined).join('/');
}
