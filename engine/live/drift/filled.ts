import type { Coordinates } from '../../model/index.ts';

/** A name by a template of `live`; null where it names what is not there. */
export function filled(template: string, { tenant, environment, service }: Coordinates): string | null {
  const values: Readonly<Record<string, string | undefined>> = { tenant, environment, service };
  const names = [...template.matchAll(/\{(tenant|environment|service)\}/g)].map(([, name = '']) => name);
  if (names.some((name) => values[name] === undefined)) return null;
  return template.replace(/\{(tenant|environment|service)\}/g, (_, name: string) => values[name] ?? '');
}
