import type { Coordinates } from '../../model/index.ts';

/** RFC 1123, as Kubernetes takes it. */
const SUBDOMAIN = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Roles have names with colons. */
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,252}$/;

export type Filled =
  | { readonly name: string; readonly problem: null }
  | { readonly name: null; readonly problem: string };

/** A name of Kubernetes by a template with `{tenant}`, `{environment}` and `{service}`; or why it gives none. */
export function filledName(template: string, { tenant, environment, service }: Coordinates): Filled {
  const values: Readonly<Record<string, string | undefined>> = { tenant, environment, service };
  const missing = Object.keys(values).find(
    (key) => template.includes(`{${key}}`) && values[key] === undefined,
  );
  if (missing !== undefined)
    return {
      name: null,
      problem: `The template ${template} names {${missing}}, and there is no ${missing} here.`,
    };
  const name = template.replace(/\{(tenant|environment|service)\}/g, (_, key: string) => values[key] ?? '');
  return SUBDOMAIN.test(name)
    ? { name, problem: null }
    : {
        name: null,
        problem: `The template ${template} gives "${name}", which is not a valid name in Kubernetes.`,
      };
}

/** The names of a list of templates; or the first problem. */
export function filledNames(
  templates: readonly string[],
  coordinates: Coordinates,
):
  | { readonly names: readonly string[]; readonly problem: null }
  | { readonly names: null; readonly problem: string } {
  const filled = templates.map((template) => filledName(template, coordinates));
  const problem = filled.find((each) => each.problem !== null)?.problem;
  return problem === undefined || problem === null
    ? { names: filled.map(({ name }) => name ?? ''), problem: null }
    : { names: null, problem };
}

export const isNamespace = (name: string) => LABEL.test(name);

/** Whether an object can have this name, and kubectl can be given it. */
export const isObjectName = (name: string) => SEGMENT.test(name);
