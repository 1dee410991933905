import type { Value } from '../value.ts';

/** Scalars by variable name. */
export type Variables = ReadonlyMap<string, Value>;

const NAME = '[A-Za-z_][A-Za-z0-9_]*';
const REFERENCES = new RegExp(`\\$\\$\\{|\\$\\{(${NAME})\\}`, 'g');
const WHOLE = new RegExp(`^\\$\\{(${NAME})\\}$`);
const VARIABLE_NAME = new RegExp(`^${NAME}$`);

export const isVariableName = (text: string): boolean => VARIABLE_NAME.test(text);

export const hasReference = (text: string): boolean => text.includes('${');

/** The name in a text that is exactly one reference; else null. */
export const wholeReference = (text: string): string | null => WHOLE.exec(text)?.[1] ?? null;

/** Replaces every `${NAME}` once (values are not expanded again); `$${` becomes `${`. Anything else stays, including `${a:-b}`. */
export function substitute(text: string, value: (name: string) => string): string {
  return text.replace(REFERENCES, (_, name: string | undefined) => (name === undefined ? '${' : value(name)));
}
