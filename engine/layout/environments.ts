/** An environment with its services, for display. */
import { type Coordinates, formatCoordinates } from '../model/index.ts';

export interface EnvironmentEntry {
  readonly tenant?: string;
  readonly environment: string;
  readonly services: readonly string[];
}

/** Groups coordinates by environment. */
export function toEntries(found: readonly Coordinates[]): EnvironmentEntry[] {
  const services = new Map<string, string[]>();
  const environments = new Map<string, Coordinates>();
  for (const { service, ...environment } of found) {
    const name = formatCoordinates(environment);
    environments.set(name, environment);
    const known = services.get(name) ?? [];
    services.set(name, known);
    if (service !== undefined) known.push(service);
  }
  return [...environments].map(([name, environment]) => ({
    ...environment,
    services: services.get(name) ?? [],
  }));
}
