/**
 * Writes docs/configuration.md and docs/configuration.schema.json, both from the schema that reads a configuration:
 *
 *     npm run docs:configuration
 */
import { realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { reference } from './configuration/reference.ts';
import { configurationSchema, readSchema } from './configuration/schema.ts';

/** The text of each file, by its name in docs/. */
export function configurationDocs(): Record<string, string> {
  const schema = configurationSchema();
  return {
    'configuration.md': reference(readSchema(schema)),
    'configuration.schema.json': `${JSON.stringify(schema, null, 2)}\n`,
  };
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  for (const [name, text] of Object.entries(configurationDocs()))
    writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
