import type { KubernetesObject } from './types.ts';

export type Matches = (object: KubernetesObject) => boolean;

/** What `labelSelector` and `fieldSelector` of a request let through. */
export function selectorOf(query: URLSearchParams): Matches {
  const matches = [
    ...termsOf(query.get('labelSelector')).map(labelTerm),
    ...termsOf(query.get('fieldSelector')).map(fieldTerm),
  ];
  return (object) => matches.every((match) => match(object));
}

/** Commas within parentheses are no separators. */
const termsOf = (text: string | null): string[] =>
  (text ?? '')
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');

function labelTerm(term: string): Matches {
  const [, key = '', not, list = ''] = /^(\S+)\s+(notin|in)\s*\((.*)\)$/.exec(term) ?? [];
  const labelOf = (object: KubernetesObject, name: string) => object.metadata.labels?.[name];
  if (key !== '') {
    const values = list.split(',').map((value) => value.trim());
    return (object) => values.includes(labelOf(object, key) ?? '') === (not === 'in');
  }
  const [, name = '', operator, value] = /^([^=!]+?)\s*(==|=|!=)\s*(.*)$/.exec(term) ?? [];
  if (name !== '') return (object) => (labelOf(object, name) === value) === (operator !== '!=');
  if (term.startsWith('!')) return (object) => labelOf(object, term.slice(1)) === undefined;
  return (object) => labelOf(object, term) !== undefined;
}

function fieldTerm(term: string): Matches {
  const [, path = '', operator, value = ''] = /^([\w.]+?)(==|=|!=)(.*)$/.exec(term) ?? [];
  return (object) => {
    const found = path.split('.').reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), object);
    return ((typeof found === 'string' ? found : '') === value) === (operator !== '!=');
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
