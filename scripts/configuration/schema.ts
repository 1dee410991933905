/** The keys of the configuration as JSON Schema (draft 7, which editors read), from the schema that reads them. */
import { z } from 'zod';
import { configSchema } from '../../engine/layout/configuration/schema.ts';

/** The part of JSON Schema that the keys of the configuration use. */
const keySchema = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  examples: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  required: z.array(z.string()).optional(),
  get properties() {
    return z.record(z.string(), keySchema).optional();
  },
  get items() {
    return keySchema.optional();
  },
  get anyOf() {
    return z.array(keySchema).optional();
  },
  get additionalProperties() {
    return z.union([keySchema, z.literal(false)]).optional();
  },
});

export type KeySchema = z.infer<typeof keySchema>;

/** Rejects what uses more of JSON Schema than the reference can say. */
export const readSchema = (value: unknown): KeySchema => keySchema.parse(value);

/** Looser than what Backtrail takes: what needs the repository, or several keys at once, is said by Backtrail only. */
export function configurationSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      if (!('example' in jsonSchema)) return;
      jsonSchema.examples = [jsonSchema['example']];
      delete jsonSchema['example'];
    },
  });
  const title = 'Configuration of Backtrail (.backtrail/config.yaml)';
  return { $schema, title, ...schema };
}

/** A value that shows each key below: its own example, or one made of those of its keys. */
export function exampleOf(schema: KeySchema): unknown {
  if (schema.examples !== undefined) return schema.examples[0];
  if (schema.items !== undefined) return [exampleOf(schema.items)];
  const keys = Object.entries(schema.properties ?? {});
  return Object.fromEntries(keys.map(([key, value]) => [key, exampleOf(value)]));
}
