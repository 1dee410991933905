/** Environments with their services, as people see them. */
import { type Coordinates, formatCoordinates } from '../model/index.ts';

export interface EnvironmentEntry {
  readonly tenant?: string;
  readonly environment: string;
  readonly services: readonly string[];
}

/** Environments with their services. */
export function toEntries(found: readonly Coordinates[]): EnvironmentEntry[] {
  const services = new Map<string, string[]>();
  const places = new Map<string, Coordinates>();
  for (const { service, ...place } of found) {
    const name = formatCoordinates(place);
    places.set(name, place);
    const known = services.get(name) ?? [];
    services.set(name, known);
    if (service !== undefined) known.push(service);
  }
  return [...places].map(([name, place]) => ({ ...place, services: services.get(name) ?? [] }));
}
