/** Values by a JSON schema, as an OpenAPI document has them: those that fit it, and those that nearly do. */
import fc from 'fast-check';
import { anyCharacter } from '../trees/any-character.ts';

/** What is looked at of a schema; what else it says is held by whoever validates. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface Making {
  readonly resolve: (ref: string) => Schema;
  /** Texts that mean something, by the names that they are given under. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  readonly together: readonly (readonly string[])[];
}

/** Texts that break what reads them carelessly. */
const WILD = [
  '',
  ' ',
  '-',
  '../../etc/passwd',
  'a/b/c/d/e',
  'a\u0000b',
  '\ud800',
  '\u202egnp',
  '😀'.repeat(40),
  'x'.repeat(2000),
  '--upload-pack=touch x',
  'HEAD^{/x}',
  '@{-1}',
  ':/x',
  'v0',
  'v99999999999',
  '@9999999999h',
  '1e999',
  '${jndi:ldap://x}',
  "'; drop table x; --",
  '__proto__',
  'constructor',
];

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

export const wildText = fc.oneof(fc.constantFrom(...WILD), fc.string({ unit: anyCharacter, maxLength: 60 }));
const wildValue = fc.oneof(
  wildText,
  fc.constantFrom<unknown>(null, true, -1, 0.5, 1e21, [], {}, [[]], deep(50), deep(2000)),
  fc.jsonValue({ maxDepth: 2 }),
);

/** By the schema; `name`: under which it stands. */
export function fitting(
  schema: Schema,
  { name, ...making }: Making & { readonly name: string },
): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fitting(making.resolve(schema.$ref), { name, ...making });
  const { anyOf = schema.oneOf, properties, items } = schema;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((each) => fitting(each, { name, ...making })));
  if (schema.type === 'object') return objectOf(schema, properties ?? {}, making);
  if (schema.type === 'array') {
    const { minItems = 0, maxItems = 4 } = schema;
    const item = fitting(items ?? {}, { name, ...making });
    return fc.array(item, { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, 4)) });
  }
  if (schema.type === 'string') return textOf(schema, making.known[name] ?? []);
  if (schema.type === 'integer' || schema.type === 'number')
    return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 100, 100) });
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'null') return fc.constant(null);
  return fc.jsonValue({ maxDepth: 1 });
}

function objectOf({ required = [] }: Schema, properties: Readonly<Record<string, Schema>>, making: Making) {
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, each]) => [name, fitting(each, { name, ...making })]),
  );
  return someOfThem(members, required, making.together);
}

/** What is required, and few of the others: many of them exclude each other. `together`: names that make sense with each other. */
export function someOfThem(
  members: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  required: readonly string[],
  together: Making['together'],
): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const names = Object.keys(members);
  const others = names.filter((name) => !required.includes(name));
  const few = fc.subarray(others, { maxLength: Math.min(3, others.length) });
  const chosen = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<readonly string[]>(...together) },
    { weight: 4, arbitrary: few },
    fc.subarray(others),
  );
  return chosen.chain((more) =>
    fc.record(
      Object.fromEntries(
        names
          .filter((name) => required.includes(name) || more.includes(name))
          .map((name) => [name, members[name] ?? wildText]),
      ),
    ),
  );
}

/** Mostly what means something; patterns are read as they are written. */
function textOf({ pattern, minLength = 0, maxLength = 100 }: Schema, known: readonly string[]) {
  const fits = (text: string) =>
    text.length >= minLength &&
    text.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern, 'u').test(text));
  const meant = known.filter(fits);
  const any =
    pattern?.startsWith('^') === true && pattern.endsWith('$') && !pattern.includes(String.raw`\p`)
      ? fc.stringMatching(new RegExp(pattern)).filter(fits)
      : fc.string({ minLength, maxLength: Math.min(maxLength, Math.max(minLength, 20)) }).filter(fits);
  return meant.length === 0 ? any : fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...meant) }, any);
}

/** The value with one part of it otherwise: of another type, too long, missing, or more than is asked for. */
export function nearly(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(value, fc.nat(), wildValue, fc.constantFrom('put', 'drop', 'add', 'all'))
    .map(([given, at, wild, how]) => {
      if (how === 'all' || typeof given !== 'object' || given === null || Array.isArray(given)) return wild;
      const entries = Object.entries(given);
      const index = entries.length === 0 ? 0 : at % entries.length;
      if (how === 'drop') return Object.fromEntries(entries.toSpliced(index, 1));
      const name = how === 'add' ? 'unheardOf' : (entries[index]?.[0] ?? 'unheardOf');
      return Object.fromEntries([...entries.filter(([each]) => each !== name), [name, wild]]);
    });
}
