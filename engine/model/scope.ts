/** Identifies a tenant, environment or service: written `tenant/environment/service`, without tenant if the layout has none. */
export interface Coordinates {
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
}

export type Mode = 'full' | 'service' | 'field';

export const MODES: readonly Mode[] = ['full', 'service', 'field'];

/** The part of the repository that a rollback may change. `fields` are canonical `path#selector`, sorted; only in field mode. */
export interface Scope extends Coordinates {
  readonly mode: Mode;
  readonly fields?: readonly string[];
  /** Restore a whole file where a selected part of it differs, instead of the part. */
  readonly wholeFile?: true;
}

export function formatCoordinates({ tenant, environment, service }: Coordinates): string {
  return [tenant, environment, service].filter((part) => part !== undefined).join('/');
}
