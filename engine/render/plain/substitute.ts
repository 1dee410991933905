import type { Value } from '../value.ts';

/** Name to scalar. */
export type Variables = ReadonlyMap<string, Value>;

const NAME = '[A-Za-z_][A-Za-z0-9_]*';
const REFERENCES = new RegExp(`\\$\\$\\{|\\$\\{(${NAME})\\}`, 'g');
const WHOLE = new RegExp(`^\\$\\{(${NAME})\\}$`);
const VARIABLE_NAME = new RegExp(`^${NAME}$`);

export const isVariableName = (text: string): boolean => VARIABLE_NAME.test(text);

export const hasReference = (text: string): boolean => text.includes('${');

/** The name in a text that is one reference and nothing else. */
export const wholeReference = (text: string): string | null => WHOLE.exec(text)?.[1] ?? null;

/** Replaces every `${NAME}` once (values are not looked through again); `$${` gives `${`. Anything else stays, also `${a:-b}`. */
export function substitute(text: string, value: (name: string) => string): string {
  return text.replace(REFERENCES, (_, name: string | undefined) => (name === undefined ? '${' : value(name)));
}
