/** The part of js-yaml that tests use: a parser that shares no code with the one under test. */
declare module 'js-yaml' {
  export interface Schema {
    readonly name?: string;
  }
  /** YAML 1.2's core schema: no dates, no `<<`. */
  export const CORE_SCHEMA: Schema;
  export function loadAll(text: string, iterator: null, options: { schema: Schema }): unknown[];
}
